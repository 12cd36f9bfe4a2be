// The CPU backend: its policy, its native stages, and the programs that run them.
#pragma once
#include <skewgrad/backend/cpu/conv_stage.hpp>
#include <skewgrad/backend/cpu/dense_stage.hpp>
#include <skewgrad/backend/cpu/dropout_stage.hpp>
#include <skewgrad/backend/cpu/policy.hpp>
#include <skewgrad/backend/cpu/pool_stage.hpp>
#include <skewgrad/backend/host/program.hpp>
