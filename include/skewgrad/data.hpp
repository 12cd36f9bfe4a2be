// Everything about data: loaders, the embedded set, hold-out, the order of an epoch.
#pragma once
#include <skewgrad/data/batches.hpp>
#include <skewgrad/data/cifar.hpp>
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/data/hold_out.hpp>
#include <skewgrad/data/idx.hpp>
