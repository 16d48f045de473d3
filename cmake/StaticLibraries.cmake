# Libraries are linked from their static archives: one file, nothing to load at a start (a dynamic
# libstdc++ alone costs 0.8 ms). libseccomp and libcap are what the unit tests compare with.
set(libraries yaml-cpp)
if(JAULA_TESTS)
  list(APPEND libraries seccomp cap)
endif()
foreach(name ${libraries})
  find_library(JAULA_LIB_${name} NAMES lib${name}.a REQUIRED)
  add_library(jaula_third_party_${name} INTERFACE)
  add_library(third_party::${name} ALIAS jaula_third_party_${name})
  target_link_libraries(jaula_third_party_${name} INTERFACE ${JAULA_LIB_${name}})
endforeach()
