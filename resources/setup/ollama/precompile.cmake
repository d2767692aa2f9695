# Included by CMake after project(): headers that nearly every file of a target reads are compiled once for all of them.
# That halves the time of the build, since most files are much shorter than what they include.

function(precompile target header)
  if(TARGET ${target})
    target_precompile_headers(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${llama_cpp_SOURCE_DIR}/${header}>")
  endif()
endfunction()

# The targets do not exist yet: these calls come at the end of the project's own file.
cmake_language(DEFER CALL precompile llama src/models/models.h)
cmake_language(DEFER CALL precompile mtmd tools/mtmd/models/models.h)
cmake_language(DEFER CALL precompile llama-common common/chat.h)
cmake_language(DEFER CALL precompile server-context tools/server/server-common.h)
cmake_language(DEFER CALL precompile llama-server-impl tools/server/server-common.h)
