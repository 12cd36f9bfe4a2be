// Studies by name: composed experiments, and the paper's.
#pragma once
#include <skewgrad/skewgrad.hpp>
#include <skewgrad/study/paper.hpp>
#include <skewgrad/study/run_record.hpp>
#include <skewgrad/study/study.hpp>
