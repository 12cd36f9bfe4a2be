// Every measure of the library: this header only includes.
#pragma once
#include <skewgrad/evaluate/confusion.hpp>
#include <skewgrad/evaluate/intervals.hpp>
#include <skewgrad/evaluate/matched_flips.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/evaluate/paired.hpp>
#include <skewgrad/evaluate/ratio.hpp>
#include <skewgrad/evaluate/robustness.hpp>
#include <skewgrad/evaluate/smallest_epsilon.hpp>
