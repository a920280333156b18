set(VCPKG_BUILD_TYPE release) # header-only

# The source is the checkout of pgq in which this port stands.
cmake_path(SET SOURCE_PATH NORMALIZE "${CURRENT_PORT_DIR}/../../../..")
if(NOT EXISTS "${SOURCE_PATH}/include/pgq/version.hpp")
    message(FATAL_ERROR "The port of pgq builds the checkout in which it stands, so it cannot be copied elsewhere. "
                        "Name its folder packaging/vcpkg/ports as an overlay."
    )
endif()

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -DPGQ_BUILD_TESTS=OFF
        -DPGQ_BUILD_EXAMPLES=OFF
        -DPGQ_BUILD_BENCH=OFF
        -DPGQ_BUILD_TOOLS=OFF
        "-DPGQ_INSTALL_CMAKEDIR=share/${PORT}"
        -DPGQ_INSTALL_LICENSEDIR=
)
vcpkg_cmake_install()
vcpkg_fixup_pkgconfig()

file(INSTALL "${CURRENT_PORT_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
