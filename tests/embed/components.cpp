// Builds where the dependencies of skewgrad's further components reach a user's unit, links where their libraries do.
#include <png.h>
#include <CLI/CLI.hpp>
#include <string>
#include <xtensor-blas/xlinalg.hpp>

int main(int argc, char** argv) {
    CLI::App app{"libpng " + std::to_string(png_access_version_number())};
    CLI11_PARSE(app, argc, argv);
    const xt::xtensor<double, 2> a{{2.0, 0.0}, {0.0, 4.0}};
    const xt::xtensor<double, 2> product = xt::linalg::dot(a, xt::linalg::inv(a));
    return product(0, 0) == 1.0 && product(1, 1) == 1.0 ? 0 : 1;
}
