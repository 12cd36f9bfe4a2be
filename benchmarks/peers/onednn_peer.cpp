// links: command_line
// oneDNN by itself, a convolution at a time: each pass on the shapes of the paper's network, f32 and bf16, in the
// layouts that it prefers; checked against plain sums, then timed on inputs half of which are zeros.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <dnnl.hpp>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../shapes.hpp"
#include "../worker.hpp"

namespace {

using dnnl::memory;
using Arguments = std::unordered_map<int, memory>;

struct Setting {
    shapes::Convolution shape;
    int images;
    memory::data_type type;
    dnnl::algorithm algorithm;
};

struct Pass {
    std::string name, implementation;
    dnnl::primitive primitive;
    Arguments arguments;
};

/// One convolution's three passes and their memories. Throws dnnl::error where oneDNN has no such convolution.
class Convolution {
public:
    Convolution(const dnnl::engine& engine, const Setting& setting) : engine_(engine), stream_(engine), s_(setting) {
        const auto [name, in_c, out_c, side] = s_.shape;
        x_ = given({s_.images, in_c, side, side}, 1, true);
        w_ = given({out_c, in_c, 3, 3}, 2, false);
        b_ = given({out_c}, 3, false);
        dy_ = given({s_.images, out_c, side, side}, 4, true);

        const memory::desc x = any(x_), w = any(w_), dy = any(dy_), b = b_.get_desc();
        const memory::dims one{1, 1};
        const auto a = s_.algorithm;
        using Forward = dnnl::convolution_forward;
        using Data = dnnl::convolution_backward_data;
        using Weights = dnnl::convolution_backward_weights;
        const Forward::primitive_desc forward({dnnl::prop_kind::forward_training, a, x, w, b, dy, one, one, one},
                                              engine);
        const Data::primitive_desc data({a, x, w, dy, one, one, one}, engine, forward);
        const Weights::primitive_desc weights({a, x, w, b, dy, one, one, one}, engine, forward);
        y_ = memory(forward.dst_desc(), engine);
        dx_ = memory(data.diff_src_desc(), engine);
        dw_ = memory(weights.diff_weights_desc(), engine);
        db_ = memory(weights.diff_bias_desc(), engine);
        passes_ = {{"forward",
                    forward.impl_info_str(),
                    Forward(forward),
                    {{DNNL_ARG_SRC, as(x_, forward.src_desc())},
                     {DNNL_ARG_WEIGHTS, as(w_, forward.weights_desc())},
                     {DNNL_ARG_BIAS, b_},
                     {DNNL_ARG_DST, y_}}},
                   {"backward data",
                    data.impl_info_str(),
                    Data(data),
                    {{DNNL_ARG_DIFF_DST, as(dy_, data.diff_dst_desc())},
                     {DNNL_ARG_WEIGHTS, as(w_, data.weights_desc())},
                     {DNNL_ARG_DIFF_SRC, dx_}}},
                   {"backward weights",
                    weights.impl_info_str(),
                    Weights(weights),
                    {{DNNL_ARG_SRC, as(x_, weights.src_desc())},
                     {DNNL_ARG_DIFF_DST, as(dy_, weights.diff_dst_desc())},
                     {DNNL_ARG_DIFF_WEIGHTS, dw_},
                     {DNNL_ARG_DIFF_BIAS, db_}}}};
    }

    const std::vector<Pass>& passes() const { return passes_; }
    void run(const Pass& pass) {
        pass.primitive.execute(stream_, pass.arguments);
        stream_.wait();
    }

    /// One element of each pass' result against plain sums. Throws Error where one is off.
    void check() {
        for (const Pass& pass : passes_) run(pass);
        const auto [name, in_c, out_c, side] = s_.shape;
        const auto x = plain(x_), w = plain(w_), dy = plain(dy_), y = plain(y_), dx = plain(dx_), dw = plain(dw_);
        const auto pixel = [side](const std::vector<float>& all, int channels, int n, int c, int row, int column) {
            if (row < 0 || row >= side || column < 0 || column >= side) return 0.0;
            return double{all[static_cast<std::size_t>(((n * channels + c) * side + row) * side + column)]};
        };
        const auto weight = [in_c](const std::vector<float>& all, int o, int i, int row, int column) {
            return double{all[static_cast<std::size_t>(((o * in_c + i) * 3 + row) * 3 + column)]};
        };
        const int o = out_c - 1, c = in_c / 2, n = s_.images - 1, h = side / 2, v = side / 3;
        Sum forward, data, weights;
        forward.add(plain(b_)[static_cast<std::size_t>(o)]);
        for (int row = 0; row < 3; ++row)
            for (int column = 0; column < 3; ++column) {
                for (int i = 0; i < in_c; ++i)
                    forward.add(pixel(x, in_c, n, i, h + row - 1, v + column - 1) * weight(w, o, i, row, column));
                for (int k = 0; k < out_c; ++k)
                    data.add(pixel(dy, out_c, n, k, h - row + 1, v - column + 1) * weight(w, k, c, row, column));
            }
        for (int i = 0; i < s_.images; ++i)
            for (int row = 0; row < side; ++row)
                for (int column = 0; column < side; ++column)
                    weights.add(pixel(x, in_c, i, c, row, column + 1) * pixel(dy, out_c, i, o, row, column));
        require("forward", pixel(y, out_c, n, o, h, v), forward);
        require("backward data", pixel(dx, in_c, n, c, h, v), data);
        require("backward weights", weight(dw, o, c, 1, 2), weights);
    }

private:
    struct Sum {
        double value = 0, size = 0;
        void add(double term) { value += term, size += std::abs(term); }
    };
    void require(const char* what, double seen, Sum right) const {
        const double allowed = s_.type == memory::data_type::f32 ? 1e-4 : 1e-2;
        if (!(std::abs(seen - right.value) <= allowed * right.size))
            throw skewgrad::Error(std::string("oneDNN, ") + s_.shape.name + ", " + what + ": " + std::to_string(seen) +
                                  " where plain sums give " + std::to_string(right.value));
    }
    memory::desc any(const memory& m) const { return {m.get_desc().dims(), s_.type, memory::format_tag::any}; }
    static memory::desc planar(const memory::dims& dims) {
        return {dims, memory::data_type::f32, dims.size() == 4 ? memory::format_tag::nchw : memory::format_tag::x};
    }
    memory as(memory from, const memory::desc& wanted) {
        memory to(wanted, engine_);
        dnnl::reorder(from, to).execute(stream_, from, to);
        stream_.wait();
        return to;
    }
    /// Normal numbers, small enough for long sums, and half of them zero where a rectifier has been.
    memory given(const memory::dims& dims, unsigned seed, bool rectified) {
        memory m(planar(dims), engine_);
        auto* values = static_cast<float*>(m.get_data_handle());
        std::mt19937 random(seed);
        std::normal_distribution<float> normal(0, 0.1f);
        for (std::size_t i = 0; i < m.get_desc().get_size() / sizeof(float); ++i) {
            const float value = normal(random);
            values[i] = rectified ? std::max(value, 0.0f) : value;
        }
        return m;
    }
    std::vector<float> plain(const memory& m) {
        const memory flat = as(m, planar(m.get_desc().dims()));
        const auto* first = static_cast<const float*>(flat.get_data_handle());
        return {first, first + flat.get_desc().get_size() / sizeof(float)};
    }

    dnnl::engine engine_;
    dnnl::stream stream_;
    Setting s_;
    memory x_, w_, b_, dy_, y_, dx_, dw_, db_;
    std::vector<Pass> passes_;
};

void report(Convolution& convolution, const Setting& s, double seconds, int threads) {
    for (const Pass& pass : convolution.passes()) {
        const auto seen = worker::measure([&] { return convolution.run(pass), s.images; }, seconds, threads);
        worker::say({{"backend", s.type == memory::data_type::f32 ? "onednn-f32" : "onednn-bf16"},
                     {"shape", s.shape.name},
                     {"pass", pass.name},
                     {"mode", pass.implementation},
                     {"images", s.images},
                     {"threads", threads},
                     {"gigaflops", s.shape.operations() * seen["images_per_second"].get<double>() * 1e-9},
                     {"processor_share", seen["processor_share"]}});
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Times oneDNN's convolutions on the shapes of the paper's network"};
    worker::Settings settings;
    double seconds = 0.3;
    int images = 128;
    worker::add_settings(app, settings);
    skewgrad::add_number(app, "--seconds", seconds, 0.0, 3600.0, "For each measurement");
    skewgrad::add_number(app, "--images", images, 1, 4096, "Images a pass");
    return skewgrad::run_main(app, argc, argv, [&] {
        omp_set_num_threads(settings.threads);
        const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
        const auto* version = dnnl_version();
        worker::say({{"program", "oneDNN"},
                     {"version", std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
                                     std::to_string(version->patch)},
                     {"threads", settings.threads}});
        for (const auto type : {memory::data_type::f32, memory::data_type::bf16})
            for (const auto& shape : shapes::convolutions)
                for (const auto algorithm :
                     {dnnl::algorithm::convolution_direct, dnnl::algorithm::convolution_winograd}) {
                    try {
                        const Setting setting{shape, images, type, algorithm};
                        Convolution convolution(engine, setting);
                        convolution.check();
                        report(convolution, setting, seconds, settings.threads);
                    } catch (const dnnl::error& none) {
                        if (none.status != dnnl_unimplemented) throw;
                    }
                }
    });
}
