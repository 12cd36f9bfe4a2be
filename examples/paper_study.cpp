// links: command_line reference
// units: paper_study/program.cpp
// cuda
// The study of Possas and Zhou: their 21 networks per seed and three of our own, the 50 attack combinations of Table 1
// and one column more, controls, two protocols. With --run it works in a folder, and may be killed at any moment and
// continued.
//
// This file has only the part that depends on types, the study's composition; program.cpp has options, data and report.
#include <cstdlib>
#include <skewgrad/reference.hpp>
#include <skewgrad/study.hpp>

#if defined(__CUDACC__)
#include <skewgrad/cuda.hpp>
#endif

#include "paper_study/program.hpp"

using namespace skewgrad;

// The network that --quick trains instead of the paper's.
struct QuickNetwork : Network<Image<3, 32, 32>, Conv<16>, Relu, MaxPool<2>, Conv<32>, Relu, MaxPool<2>,  //
                              Conv<32>, Relu, MaxPool<2>, Dense<64>, Relu, Dropout<25>, Dense<10>> {};

template <Backend B, Backend Measured = B, class Protocol, ANetwork N>
void run_with(const Protocol& protocol, N, const Wanted& wanted, const RunStudy& run_study) {
    const auto composed =
        paper_study<Protocol, B, N, Measured>(protocol, wanted.scale, wanted.parts, typename B::Context(wanted.threads),
                                              typename Measured::Context(wanted.threads));
    composed.erase([&](const study::ErasedStudy& study, study::StudyOperations& work) {
        run_study(study, work, Protocol::name, composed.learner.runs_on());
    });
}

template <class Protocol, ANetwork N>
void run_on(const Protocol& protocol, N network, const Wanted& wanted, const RunStudy& run_study) {
    if (wanted.backend == "cpu") run_with<Cpu<f32>>(protocol, network, wanted, run_study);
    if (wanted.backend == "cpu-bf16") run_with<Cpu<bf16>>(protocol, network, wanted, run_study);
    if (wanted.backend == "cpu-mixed") run_with<Cpu<bf16>, Cpu<f32>>(protocol, network, wanted, run_study);
    if (wanted.backend == "reference") run_with<Reference<float>>(protocol, network, wanted, run_study);
#if defined(__CUDACC__)
    if (wanted.backend == "cuda") run_with<Cuda<f32>>(protocol, network, wanted, run_study);
    if (wanted.backend == "cuda-bf16") run_with<Cuda<bf16>>(protocol, network, wanted, run_study);
    if (wanted.backend == "cuda-mixed") run_with<Cuda<bf16>, Cuda<f32>>(protocol, network, wanted, run_study);
#endif
}

template <class Protocol>
void run_as(const Protocol& protocol, const Wanted& wanted, const RunStudy& run_study) {
    wanted.quick ? run_on(protocol, QuickNetwork{}, wanted, run_study)
                 : run_on(protocol, typename Protocol::Network{}, wanted, run_study);
}

// If the program has a GPU backend, its names follow the others.
std::vector<std::string> backends() {
    std::vector<std::string> all{"cpu", "cpu-bf16", "cpu-mixed", "reference"};
#if defined(__CUDACC__)
    all.insert(all.end(), {"cuda", "cuda-bf16", "cuda-mixed"});
#endif
    return all;
}

int main(int argc, char** argv) {
#if defined(__CUDACC__)
    // One hardware queue of the GPU for each stream of the networks that are trained at the same time.
    ::setenv("CUDA_DEVICE_MAX_CONNECTIONS", "32", 0);
#endif
    return paper_program(argc, argv, backends(), [](const Wanted& wanted, const RunStudy& run_study) {
        wanted.protocol == "as-written" ? run_as(AsWritten{}, wanted, run_study)
                                        : run_as(AsRun{.under = wanted.under}, wanted, run_study);
    });
}
