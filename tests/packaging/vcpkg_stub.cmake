# cmake -DROOT=... -DWORK=... -P vcpkg_stub.cmake: runs the port in ROOT/packaging/vcpkg without vcpkg. The functions
# of vcpkg that the portfile calls are replaced by short ones that install into WORK/packages. Checks the files of the
# package, the manifest against the CMake components, each feature with only its own libraries, and the usage text.
cmake_minimum_required(VERSION 3.25)

set(PORT pgq)
set(port_dir "${ROOT}/packaging/vcpkg/ports/${PORT}")
set(CURRENT_PACKAGES_DIR "${WORK}/packages")
set(ports_of_vcpkg)
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${CURRENT_PACKAGES_DIR}")

function(complain text)
  message(SEND_ERROR "${text}")
endfunction()

# expect_same(WHAT FOUND WANTED): compares two lists as sets.
function(expect_same what found wanted)
  list(SORT found)
  list(SORT wanted)
  if(NOT found STREQUAL wanted)
    complain("${what}: found \"${found}\", expected \"${wanted}\"")
  endif()
endfunction()

# ---- the manifest ----------------------------------------------------------------------------------------------------

include("${ROOT}/cmake/pgq_dependencies.cmake") # pgq_components, pgq_links_*

# The port that has a library of a component.
set(port_of_Boost::headers boost-hana)
set(port_of_Boost::json boost-json)
set(port_of_PostgreSQL::PostgreSQL libpq)
set(port_of_nlohmann_json::nlohmann_json nlohmann-json)
set(port_of_Catch2::Catch2 catch2)
set(port_of_pgq::asio_library asio)
set(port_of_pgq::sodium_library libsodium)
set(port_of_pgq::zstd_library zstd)
set(port_of_date::date-tz date)
set(port_of_prometheus-cpp::core prometheus-cpp)
set(port_of_CLI11::CLI11 cli11)

# The names for find_package that must not work without the port.
set(packages_of_boost-json boost_json)
set(packages_of_libpq PostgreSQL)
set(packages_of_nlohmann-json nlohmann_json)
set(packages_of_catch2 Catch2)
set(packages_of_asio asio)
set(packages_of_libsodium libsodium unofficial-sodium sodium)
set(packages_of_zstd zstd)
set(packages_of_date date)
set(packages_of_prometheus-cpp prometheus-cpp)
set(packages_of_cli11 CLI11)

# names_of(VARIABLE JSON PATH...): the keys of an object, or the names in a list of dependencies. A dependency on a
# feature of this port is PORT[FEATURE]; one for the build machine is left out.
function(names_of variable json)
  string(JSON type ERROR_VARIABLE absent TYPE "${json}" ${ARGN})
  set(names)
  if(NOT absent)
    string(JSON length LENGTH "${json}" ${ARGN})
    foreach(i RANGE ${length})
      if(i EQUAL length)
        break()
      elseif(type STREQUAL "OBJECT")
        string(JSON name MEMBER "${json}" ${ARGN} ${i})
      else()
        string(JSON name GET "${json}" ${ARGN} ${i})
        string(JSON host ERROR_VARIABLE no_host GET "${name}" host)
        string(JSON feature ERROR_VARIABLE no_feature GET "${name}" features 0)
        string(JSON object_name ERROR_VARIABLE no_name GET "${name}" name)
        if(NOT no_host AND host)
          continue()
        elseif(NOT no_name)
          set(name "${object_name}")
        endif()
        if(NOT no_feature)
          string(APPEND name "[${feature}]")
        endif()
      endif()
      list(APPEND names "${name}")
    endforeach()
  endif()
  set(${variable} ${names} PARENT_SCOPE)
endfunction()

file(READ "${port_dir}/vcpkg.json" manifest)
string(JSON VERSION GET "${manifest}" version)
names_of(features "${manifest}" features)
expect_same("the features of vcpkg.json" "${features}" "${pgq_components}")

names_of(core_ports "${manifest}" dependencies)
set(wanted)
foreach(target IN LISTS pgq_links_core)
  list(APPEND wanted ${port_of_${target}})
endforeach()
expect_same("the dependencies of the core" "${core_ports}" "${wanted}")

foreach(feature IN LISTS features)
  names_of(ports_${feature} "${manifest}" features ${feature} dependencies)
  set(wanted)
  foreach(target IN LISTS pgq_links_${feature})
    if(NOT DEFINED port_of_${target})
      complain("vcpkg_stub.cmake does not know the port of ${target}")
    endif()
    list(APPEND wanted ${port_of_${target}})
  endforeach()
  if(feature MATCHES "^(asio|cli)$")
    list(APPEND wanted "${PORT}[libpq]")
  endif()
  if(feature STREQUAL "cli")
    list(APPEND wanted "${PORT}[json]")
  endif()
  expect_same("the dependencies of ${PORT}[${feature}]" "${ports_${feature}}" "${wanted}")
  list(REMOVE_ITEM wanted "${PORT}[libpq]" "${PORT}[json]")
  list(APPEND ports_of_vcpkg ${wanted})
  set(ports_${feature} ${wanted})
endforeach()
list(APPEND ports_asio ${ports_libpq})
list(APPEND ports_cli ${ports_libpq} ${ports_json})

names_of(defaults "${manifest}" default-features)
foreach(feature IN LISTS defaults)
  if(NOT feature IN_LIST features)
    complain("vcpkg.json: there is no feature ${feature} for default-features")
  endif()
endforeach()

# ---- the entry of the registry ---------------------------------------------------------------------------------------

file(READ "${ROOT}/packaging/vcpkg/versions/baseline.json" baseline)
string(JSON found GET "${baseline}" default ${PORT} baseline)
expect_same("the version in versions/baseline.json" "${found}" "${VERSION}")
file(READ "${ROOT}/packaging/vcpkg/versions/p-/${PORT}.json" entries)
string(JSON found GET "${entries}" versions 0 version)
expect_same("the version in versions/p-/${PORT}.json" "${found}" "${VERSION}")
string(JSON found GET "${entries}" versions 0 path)
expect_same("the path in versions/p-/${PORT}.json" "${found}" "$/ports/${PORT}")

# ---- the portfile, with functions in place of vcpkg's ----------------------------------------------------------------

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(result)
    string(JOIN " " command ${ARGN})
    message(FATAL_ERROR "${command}\n${output}")
  endif()
endfunction()

# hide(VARIABLE PORT...): the arguments with which CMake does not find the libraries of the ports.
function(hide variable)
  set(arguments)
  foreach(port IN LISTS ARGN)
    foreach(package IN LISTS packages_of_${port})
      list(APPEND arguments "-DCMAKE_DISABLE_FIND_PACKAGE_${package}=ON")
    endforeach()
  endforeach()
  set(${variable} ${arguments} PARENT_SCOPE)
endfunction()

# The package has the same files whatever is installed, so nothing is to be found here.
function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
  if(arg_UNPARSED_ARGUMENTS)
    complain("vcpkg_cmake_configure: \"${arg_UNPARSED_ARGUMENTS}\" is not known here")
  endif()
  hide(hidden ${ports_of_vcpkg})
  run("${CMAKE_COMMAND}" -S "${arg_SOURCE_PATH}" -B "${WORK}/build" -G Ninja "-DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR}"
      -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_LIBDIR:STRING=lib -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON ${hidden}
      -DCMAKE_ERROR_ON_ABSOLUTE_INSTALL_DESTINATION=ON ${arg_OPTIONS}
  )
endfunction()

function(vcpkg_cmake_install)
  run("${CMAKE_COMMAND}" --build "${WORK}/build" --target install)
endfunction()

function(vcpkg_fixup_pkgconfig)
  file(GLOB_RECURSE found "${CURRENT_PACKAGES_DIR}/*.pc")
  if(NOT found)
    complain("the portfile calls vcpkg_fixup_pkgconfig, but there is no .pc file")
  endif()
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
  file(MAKE_DIRECTORY "${CURRENT_PACKAGES_DIR}/share/${PORT}")
  file(CONFIGURE OUTPUT "${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright" CONTENT "")
  foreach(name IN LISTS arg_FILE_LIST)
    file(READ "${name}" text)
    file(APPEND "${CURRENT_PACKAGES_DIR}/share/${PORT}/copyright" "${text}")
  endforeach()
endfunction()

function(run_portfile)
  set(CURRENT_PORT_DIR "${port_dir}")
  set(CMAKE_MESSAGE_LOG_LEVEL WARNING) # not one line per installed file
  include("${port_dir}/portfile.cmake")
endfunction()
run_portfile()

# ---- the files -------------------------------------------------------------------------------------------------------

file(GLOB_RECURSE headers RELATIVE "${ROOT}/include" "${ROOT}/include/*")
file(GLOB_RECURSE installed RELATIVE "${CURRENT_PACKAGES_DIR}/include" "${CURRENT_PACKAGES_DIR}/include/*")
expect_same("the headers" "${installed}" "${headers}")

file(GLOB_RECURSE files RELATIVE "${CURRENT_PACKAGES_DIR}" "${CURRENT_PACKAGES_DIR}/*")
set(licences)
foreach(name IN LISTS files)
  if(NOT name MATCHES "^(include/pgq/.+[.][hi]pp|share/pgq/.+|lib/pkgconfig/.+[.]pc)$")
    complain("the package has ${name}, and vcpkg wants no such file")
  endif()
  file(READ "${CURRENT_PACKAGES_DIR}/${name}" text)
  foreach(place IN ITEMS "${WORK}" "${ROOT}/")
    string(FIND "${text}" "${place}" position)
    if(NOT position EQUAL -1)
      complain("${name} contains the path ${place}")
    endif()
  endforeach()
  string(FIND "${text}" "Permission is hereby granted" position)
  if(NOT position EQUAL -1)
    list(APPEND licences "${name}")
  endif()
endforeach()
expect_same("the licence files" "${licences}" "share/pgq/copyright")

file(GLOB_RECURSE folders LIST_DIRECTORIES TRUE "${CURRENT_PACKAGES_DIR}/*")
foreach(folder IN LISTS folders)
  file(GLOB content "${folder}/*")
  if(IS_DIRECTORY "${folder}" AND NOT content)
    complain("${folder} is empty")
  endif()
endforeach()
foreach(name IN ITEMS pgqConfig.cmake pgqConfigVersion.cmake usage)
  if(NOT EXISTS "${CURRENT_PACKAGES_DIR}/share/pgq/${name}")
    complain("the package has no share/pgq/${name}")
  endif()
endforeach()

# ---- the features ----------------------------------------------------------------------------------------------------

# One project with a folder per feature: `find_package` works with the libraries of the feature alone, and not without.
string(CONCAT project
  "cmake_minimum_required(VERSION 3.25)\nproject(features LANGUAGES CXX)\n"
  "function(hide)\n  foreach(package IN LISTS ARGN)\n"
  "    set(CMAKE_DISABLE_FIND_PACKAGE_\${package} ON PARENT_SCOPE)\n  endforeach()\nendfunction()\n"
)
set(all_packages)
foreach(port IN LISTS ports_of_vcpkg)
  list(APPEND all_packages ${packages_of_${port}})
endforeach()
string(JOIN " " all_hidden ${all_packages})

# add_folder(NAME TEXT): a folder of the project.
macro(add_folder name)
  file(WRITE "${WORK}/features/${name}/CMakeLists.txt" ${ARGN})
  string(APPEND project "add_subdirectory(${name})\n")
endmacro()

file(WRITE "${WORK}/features/empty.cpp" "#include <pgq/version.hpp>\nint main() {}\n")
add_folder(core
  "hide(${all_hidden})\nfind_package(pgq ${VERSION} EXACT CONFIG REQUIRED)\n"
  "add_executable(uses_core ../empty.cpp)\ntarget_link_libraries(uses_core PRIVATE pgq::pgq)\n"
)
foreach(feature IN LISTS features)
  set(others ${all_packages})
  foreach(port IN LISTS ports_${feature})
    list(REMOVE_ITEM others ${packages_of_${port}})
  endforeach()
  string(JOIN " " hidden ${others})
  add_folder(${feature}
    "hide(${hidden})\nfind_package(pgq ${VERSION} EXACT CONFIG REQUIRED COMPONENTS ${feature})\n"
    "add_executable(uses_${feature} ../empty.cpp)\ntarget_link_libraries(uses_${feature} PRIVATE pgq::${feature})\n"
  )
  add_folder(without_${feature}
    "hide(${all_hidden})\nfind_package(pgq CONFIG QUIET COMPONENTS ${feature})\n"
    "if(pgq_FOUND)\n  message(SEND_ERROR \"pgq::${feature} is found, but its library is hidden\")\nendif()\n"
  )
endforeach()

# ---- the usage text --------------------------------------------------------------------------------------------------

file(READ "${CURRENT_PACKAGES_DIR}/share/pgq/usage" usage)
string(REGEX MATCHALL "pgq::[a-z_]+" named "${usage}")
list(REMOVE_DUPLICATES named)
set(targets pgq::pgq)
foreach(feature IN LISTS features)
  list(APPEND targets "pgq::${feature}")
endforeach()
expect_same("the targets that the usage text names" "${named}" "${targets}")

# Each pair of calls in the text works. The first pair is for the default features.
string(REGEX MATCHALL "find_package[(][^)]*[)][ \n]*target_link_libraries[(][^)]*[)]" calls "${usage}")
list(LENGTH calls count)
if(count EQUAL 0)
  complain("the usage text has no find_package with target_link_libraries")
endif()
set(others ${all_packages})
foreach(feature IN LISTS defaults)
  foreach(port IN LISTS ports_${feature})
    list(REMOVE_ITEM others ${packages_of_${port}})
  endforeach()
endforeach()
string(JOIN " " hidden ${others})
foreach(call IN LISTS calls)
  math(EXPR number "${count}")
  math(EXPR count "${count} - 1")
  string(REPLACE "(main " "(usage_${number} " call "${call}")
  add_folder(usage_${number} "hide(${hidden})\nadd_executable(usage_${number} ../empty.cpp)\n${call}\n")
endforeach()

file(WRITE "${WORK}/features/CMakeLists.txt" "${project}")
run("${CMAKE_COMMAND}" -S "${WORK}/features" -B "${WORK}/features/build" -G Ninja
    "-DCMAKE_PREFIX_PATH=${CURRENT_PACKAGES_DIR}"
)
run("${CMAKE_COMMAND}" --build "${WORK}/features/build")

list(LENGTH features count)
message(STATUS "the port of pgq ${VERSION}: ${count} features, each with its own libraries alone")
