# Builds this project's own programs: one source, one executable. The source's first lines name its libraries and
# further units.

# skewgrad_program(<target> <source>): if the build has CUDA and the source's first lines say `// cuda`, nvcc compiles
# it, and it links skewgrad::cuda too. A line `// links: reference command_line` among the source's first five names
# libraries to link besides skewgrad::skewgrad; a name with :: is used as it is.
function(skewgrad_program target source)
    add_executable(${target} "${source}")
    target_link_libraries(${target} PRIVATE skewgrad::skewgrad skewgrad_warnings)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
    file(STRINGS "${source}" lines LIMIT_COUNT 5)
    foreach(line IN LISTS lines)
        if(line MATCHES "^// links: *(.*)$")
            string(REGEX MATCHALL "[^ ]+" libraries "${CMAKE_MATCH_1}")
            foreach(library IN LISTS libraries)
                if(skewgrad_missing_${library})
                    message(FATAL_ERROR "${source} needs skewgrad::${library}, which needs what is missing here:"
                                        "${skewgrad_missing_${library}}")
                elseif(TARGET skewgrad::${library})
                    target_link_libraries(${target} PRIVATE skewgrad::${library})
                else()
                    target_link_libraries(${target} PRIVATE ${library})
                endif()
            endforeach()
        elseif(SKEWGRAD_CUDA AND line MATCHES "^// cuda")
            set_source_files_properties("${source}" PROPERTIES LANGUAGE CUDA)
            target_link_libraries(${target} PRIVATE skewgrad::cuda)
        elseif(line MATCHES "^// units: *(.*)$")
            string(REGEX MATCHALL "[^ ]+" units "${CMAKE_MATCH_1}")
            cmake_path(GET source PARENT_PATH folder)
            list(TRANSFORM units PREPEND "${folder}/")
            target_sources(${target} PRIVATE ${units})
        endif()
    endforeach()
endfunction()
