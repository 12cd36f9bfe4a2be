// links: fuzz_small_run
// Files of cells in a run's folder, changed behind a right digest.
#include "fuzz/records.hpp"

void skewgrad_fuzz::fuzz(skewgrad::Piece input) { fuzz_record(input, "cells/", ".safetensors"); }
