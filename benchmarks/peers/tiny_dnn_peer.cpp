// links: command_line
// tiny-dnn on the works that benchmarks/training times: training in f32, with its AVX kernels and OpenMP.
#define CNN_USE_AVX
#define CNN_USE_OMP
#define CNN_NO_SERIALIZATION
#include <tiny_dnn/tiny_dnn.h>

#include <omp.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "../worker.hpp"

namespace {

using tiny_dnn::serial_size_t;
using Network = tiny_dnn::network<tiny_dnn::sequential>;
using Loss = tiny_dnn::cross_entropy_multiclass;

Network make_network(const std::vector<serial_size_t>& widths) {
    using namespace tiny_dnn;
    using namespace tiny_dnn::layers;
    Network net;
    serial_size_t channels = 3, side = 32;
    for (std::size_t block = 0; block < widths.size(); ++block) {
        const serial_size_t width = widths[block];
        for (int i = 0; i < (block == 0 ? 2 : 3); ++i, channels = width)
            net << convolutional_layer<activation::relu>(side, side, 3, channels, width, padding::same, true, 1, 1,
                                                         core::backend_t::avx);
        net << max_pooling_layer<activation::identity>(side, side, width, 2);
        side /= 2;
        net << dropout_layer(side * side * width, 0.25f);
    }
    net << fully_connected_layer<activation::relu>(side * side * channels, 512, true, core::backend_t::avx)
        << dropout_layer(512, 0.5f) << fully_connected_layer<activation::softmax>(512, 10, true, core::backend_t::avx);
    return net;
}

struct Training {
    Network net;
    tiny_dnn::RMSprop optimiser;
    skewgrad::TrainingData data;
    std::size_t batch, position = 0;

    Training(const std::vector<serial_size_t>& widths, const skewgrad::TrainingData& all, int batch_size, float rate)
        : net(make_network(widths)), data(all), batch(static_cast<std::size_t>(batch_size)) {
        optimiser.alpha = rate;
        optimiser.mu = 0.9f;
        net.weight_init(tiny_dnn::weight_init::xavier());
        net.init_weight();
    }
    /// One update. `train` of one batch is the library's smallest unit.
    void step() {
        std::vector<tiny_dnn::vec_t> images(batch, tiny_dnn::vec_t(3072));
        std::vector<tiny_dnn::label_t> labels(batch);
        for (std::size_t i = 0; i < batch; ++i) {
            const auto bytes = data.bytes(position + i);
            for (std::size_t p = 0; p < bytes.size(); ++p) images[i][p] = skewgrad::byte_to_float[bytes[p]];
            labels[i] = static_cast<tiny_dnn::label_t>(index(data.label(position + i)));
        }
        net.train<Loss>(optimiser, images, labels, batch, 1);
        position += batch;
        if (position + batch > data.size()) position = 0;
    }
    double loss_of_first(std::size_t count) {
        double sum = 0;
        for (std::size_t i = 0; i < count; ++i) {
            tiny_dnn::vec_t image(3072);
            for (std::size_t p = 0; p < 3072; ++p) image[p] = skewgrad::byte_to_float[data.bytes(i)[p]];
            sum -= std::log(double{net.predict(image)[static_cast<std::size_t>(index(data.label(i)))]});
        }
        return sum / static_cast<double>(count);
    }
};

worker::Unit unit(const std::vector<serial_size_t>& widths, const skewgrad::TrainingData& data, int batch) {
    // Verified first: a few updates on the same images lower their loss.
    Training tried(widths, data, 8, 1e-3f);
    const double before = tried.loss_of_first(8);
    for (int i = 0; i < 3; ++i) {
        tried.position = 0;
        tried.step();
    }
    const double after = tried.loss_of_first(8);
    if (!(after < before))
        throw skewgrad::Error("tiny-dnn: 3 updates took the loss from " + std::to_string(before) + " to " +
                              std::to_string(after));
    const auto training = std::make_shared<Training>(widths, data, batch, 1e-4f);
    return [training, batch] { return training->step(), batch; };
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Times tiny-dnn's training of the paper's network"};
    return worker::run(app, argc, argv,
                       {{"program", "tiny-dnn"}, {"version", "of the distribution"}, {"backends", {"tiny-dnn-f32"}}},
                       {{"tiny-dnn-f32", "paper", "training", 128}},
                       [](const worker::Settings& settings, worker::Json&) -> worker::MakeUnit {
                           omp_set_num_threads(settings.threads);
                           const auto data = std::make_shared<const skewgrad::Splits>(worker::images(settings));
                           return [data](const worker::Request& request) {
                               if (request.backend != "tiny-dnn-f32" || request.work != "training")
                                   throw skewgrad::ValueError("tiny-dnn is timed in training by tiny-dnn-f32 only");
                               if (request.network == "paper") return unit({32, 64, 128}, data->train, request.batch);
                               if (request.network == "wide") return unit({64, 128, 256}, data->train, request.batch);
                               throw skewgrad::ValueError("there is no network '" + request.network + "'");
                           };
                       });
}
