# The targets that a user links. Each owns the headers of its folders; none adds warnings, optimisation or -march.

# skewgrad_headers(<target> FRONT_DOORS <file>... FOLDERS <folder>... [WITHOUT <regex>]): the target's headers, as file
# sets. Two kinds cannot be compiled alone: headers that are included more than once by design (kernels, the marks
# around an instruction set: no #pragma once), and headers for nvcc.
function(skewgrad_headers target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "WITHOUT" "FRONT_DOORS;FOLDERS")
    list(TRANSFORM arg_FRONT_DOORS PREPEND "${PROJECT_SOURCE_DIR}/include/skewgrad/")
    list(TRANSFORM arg_FOLDERS REPLACE "(.+)" "${PROJECT_SOURCE_DIR}/include/skewgrad/\\1/*")
    file(GLOB found CONFIGURE_DEPENDS ${arg_FRONT_DOORS})
    file(GLOB_RECURSE found_within CONFIGURE_DEPENDS LIST_DIRECTORIES FALSE ${arg_FOLDERS})
    list(APPEND found ${found_within})
    if(arg_WITHOUT)
        list(FILTER found EXCLUDE REGEX "${arg_WITHOUT}")
    endif()
    set(alone "")
    set(within "")
    foreach(header IN LISTS found)
        if(header MATCHES "\\.hpp$" AND NOT header MATCHES "/include/skewgrad/(cuda|backend/cuda/nvidia)\\.hpp$")
            file(STRINGS "${header}" once REGEX "^#pragma once" LIMIT_COUNT 1)
        else()
            set(once "")
        endif()
        if(once)
            list(APPEND alone "${header}")
        else()
            list(APPEND within "${header}")
        endif()
    endforeach()
    target_sources(${target} INTERFACE
        FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${alone}
        FILE_SET reincluded TYPE HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${within})
    set_target_properties(${target} PROPERTIES
        VERIFY_INTERFACE_HEADER_SETS ${SKEWGRAD_BUILD_TESTS}
        INTERFACE_HEADER_SETS_TO_VERIFY HEADERS)
endfunction()

add_library(skewgrad INTERFACE)
add_library(skewgrad::skewgrad ALIAS skewgrad)
target_compile_features(skewgrad INTERFACE cxx_std_20)
target_link_libraries(skewgrad INTERFACE
    skewgrad::dependencies::xtensor skewgrad::dependencies::random123 skewgrad::dependencies::nlohmann_json
    skewgrad::dependencies::threads)
skewgrad_headers(skewgrad
    FRONT_DOORS *.hpp
    FOLDERS core nn data sampling backend images model store train attack evaluate study
    WITHOUT "/include/skewgrad/(backend/reference/.*|backend/cuda/nvidia\\.hpp|(reference|report|command_line|cuda)\\.hpp)$")

# The readable oracle. It is a separate target, since xtensor-blas requires a BLAS, which the rest must not require.
add_library(skewgrad_reference INTERFACE)
add_library(skewgrad::reference ALIAS skewgrad_reference)
target_link_libraries(skewgrad_reference INTERFACE
    skewgrad skewgrad::dependencies::xtensor_blas skewgrad::dependencies::blas)
skewgrad_headers(skewgrad_reference FRONT_DOORS reference.hpp FOLDERS backend/reference)

# The GPU backend, for sources that nvcc compiles. Its kernels, which also run without a GPU, are headers of the core.
add_library(skewgrad_cuda INTERFACE)
add_library(skewgrad::cuda ALIAS skewgrad_cuda)
target_link_libraries(skewgrad_cuda INTERFACE skewgrad skewgrad::dependencies::cuda_runtime)
target_compile_options(skewgrad_cuda INTERFACE $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20>)
skewgrad_headers(skewgrad_cuda FRONT_DOORS cuda.hpp backend/cuda/nvidia.hpp)

add_library(skewgrad_report INTERFACE)
add_library(skewgrad::report ALIAS skewgrad_report)
target_link_libraries(skewgrad_report INTERFACE skewgrad skewgrad::dependencies::png)
skewgrad_headers(skewgrad_report FRONT_DOORS report.hpp FOLDERS report)

add_library(skewgrad_command_line INTERFACE)
add_library(skewgrad::command_line ALIAS skewgrad_command_line)
target_link_libraries(skewgrad_command_line INTERFACE skewgrad_report skewgrad::dependencies::cli11)
skewgrad_headers(skewgrad_command_line FRONT_DOORS command_line.hpp FOLDERS command_line)

set_target_properties(skewgrad_reference PROPERTIES EXPORT_NAME reference)
set_target_properties(skewgrad_cuda PROPERTIES EXPORT_NAME cuda)
set_target_properties(skewgrad_report PROPERTIES EXPORT_NAME report)
set_target_properties(skewgrad_command_line PROPERTIES EXPORT_NAME command_line)
