# Included by CMake after project(): headers that nearly every file of a target reads are compiled once for all of them.
# Most files are much shorter than what they include: without this the build takes more than a third longer.

function(precompile target header)
  if(TARGET ${target})
    target_precompile_headers(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${llama_cpp_SOURCE_DIR}/${header}>")
  endif()
endfunction()

# These two refuse the internal headers of the rest of their target.
function(precompile_mtmd)
  set(helpers mtmd-helper.cpp mtmd-helper-gen.cpp)
  list(TRANSFORM helpers PREPEND "${llama_cpp_SOURCE_DIR}/tools/mtmd/")
  set_source_files_properties(${helpers} TARGET_DIRECTORY mtmd PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  precompile(mtmd tools/mtmd/models/models.h)
endfunction()

# The targets do not exist yet: these calls come at the end of the project's own file.
cmake_language(DEFER CALL precompile llama src/models/models.h)
cmake_language(DEFER CALL precompile_mtmd)
cmake_language(DEFER CALL precompile llama-common common/chat.h)
