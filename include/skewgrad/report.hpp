// Reports by name: tables of a study beside the paper's numbers, verdicts on its claims, and its files.
#pragma once
#include <skewgrad/report/claim_files.hpp>
#include <skewgrad/report/claim_tables.hpp>
#include <skewgrad/report/paper_prediction.hpp>
#include <skewgrad/report/paper_tables.hpp>
#include <skewgrad/report/study_files.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/study.hpp>
