// links: command_line dlib::dlib
// dlib on the works that benchmarks/training times: training in f32, on its BLAS. It has no RMSprop, so one is here.
#include <dlib/dnn.h>
#include <dlib/revision.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../worker.hpp"

namespace {

template <long Filters, class Below>
using Convolved = dlib::relu<dlib::con<Filters, 3, 3, 1, 1, Below>>;
struct QuarterDropout : dlib::dropout_ {
    QuarterDropout() : dlib::dropout_(0.25f) {}
};
template <class Below>
using Block = dlib::add_layer<QuarterDropout, dlib::max_pool<2, 2, 2, 2, Below>>;

template <long A, long B, long C>
using Net = dlib::loss_multiclass_log<dlib::fc<
    10,
    dlib::dropout<dlib::relu<dlib::fc<
        512,
        Block<Convolved<
            C,
            Convolved<
                C, Convolved<C, Block<Convolved<
                                    B, Convolved<B, Convolved<B,  //
                                                              Block<Convolved<
                                                                  A, Convolved<A, dlib::input_rgb_image>>>>>>>>>>>>>>>>;

/// Keras' RMSprop in the form that dlib asks of a solver.
class RmsProp {
public:
    template <class Layer>
    const dlib::tensor& operator()(float rate, const Layer& layer, const dlib::tensor& gradient) {
        const std::size_t size = layer.get_layer_params().size();
        if (step_.size() != size) {
            squares_.assign(size, 0.0f);
            step_.copy_size(gradient);
        }
        const float* g = gradient.host();
        float* step = step_.host_write_only();
        for (std::size_t i = 0; i < size; ++i) {
            squares_[i] = 0.9f * squares_[i] + 0.1f * g[i] * g[i];
            step[i] = -rate * g[i] / (std::sqrt(squares_[i]) + 1e-8f);
        }
        return step_;
    }

private:
    std::vector<float> squares_;
    dlib::resizable_tensor step_;
};

using Picture = dlib::matrix<dlib::rgb_pixel>;

/// Pictures in the form that dlib takes, made once and outside the time.
std::vector<Picture> pictures(const skewgrad::TrainingData& data, std::size_t count) {
    std::vector<Picture> all(count, Picture(32, 32));
    for (std::size_t i = 0; i < count; ++i) {
        const auto bytes = data.bytes(i);
        for (long p = 0; p < 1024; ++p) {
            const auto at = static_cast<std::size_t>(p);
            all[i](p / 32, p % 32) = dlib::rgb_pixel(bytes[at], bytes[at + 1024], bytes[at + 2048]);
        }
    }
    return all;
}

template <class N>
struct Training {
    N net;
    std::vector<RmsProp> solvers = std::vector<RmsProp>(N::num_computational_layers);
    std::vector<Picture> images;
    std::vector<unsigned long> labels;
    std::ptrdiff_t batch, position = 0;
    dlib::resizable_tensor x;

    Training(const skewgrad::TrainingData& data, int batch_size) : batch(batch_size) {
        images = pictures(data, std::min<std::size_t>(data.size(), 2048));
        for (std::size_t i = 0; i < images.size(); ++i)
            labels.push_back(static_cast<unsigned long>(index(data.label(i))));
    }
    double step(float rate) {
        net.to_tensor(images.begin() + position, images.begin() + position + batch, x);
        const double loss = net.compute_parameter_gradients(x, labels.begin() + position);
        net.update_parameters(dlib::make_sstack(solvers), rate);
        position += batch;
        if (position + batch > static_cast<std::ptrdiff_t>(images.size())) position = 0;
        return loss;
    }
};

template <class N>
worker::Unit unit(const skewgrad::TrainingData& data, int batch) {
    // Verified first: a few updates on the same images lower their loss.
    Training<N> tried(data, 32);
    double first = 0, last = 0;
    for (int i = 0; i < 12; ++i) {
        tried.position = 0;
        const double loss = tried.step(1e-3f);
        (i < 3 ? first : last) = i < 3 ? first + loss / 3 : i < 9 ? 0 : last + loss / 3;
    }
    if (!(last < first)) throw skewgrad::Error("dlib: 12 updates did not lower the loss");
    const auto training = std::make_shared<Training<N>>(data, batch);
    return [training, batch] { return training->step(1e-4f), batch; };
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Times dlib's training of the paper's network"};
    const worker::Json about{{"program", "dlib"},
                             {"version", std::to_string(DLIB_MAJOR_VERSION) + "." + std::to_string(DLIB_MINOR_VERSION)},
                             {"backends", {"dlib-f32"}}};
    return worker::run(app, argc, argv, about,
                       {{"dlib-f32", "paper", "training", 128}, {"dlib-f32", "paper", "training", 32}},
                       [](const worker::Settings& settings, worker::Json&) -> worker::MakeUnit {
                           const auto data = std::make_shared<const skewgrad::Splits>(worker::images(settings));
                           return [data](const worker::Request& request) {
                               if (request.backend != "dlib-f32" || request.work != "training")
                                   throw skewgrad::ValueError("dlib is timed in training by dlib-f32 only");
                               if (request.network == "paper")
                                   return unit<Net<32, 64, 128>>(data->train, request.batch);
                               if (request.network == "wide")
                                   return unit<Net<64, 128, 256>>(data->train, request.batch);
                               throw skewgrad::ValueError("there is no network '" + request.network + "'");
                           };
                       });
}
