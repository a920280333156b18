from conan import ConanFile


class ZstdStandIn(ConanFile):
    name = "zstd"
    package_type = "shared-library"
    settings = "os", "arch", "compiler", "build_type"

    def package_info(self):
        self.cpp_info.set_property("cmake_target_name", "zstd::libzstd_shared")
        self.cpp_info.components["zstdlib"].set_property("cmake_target_name", "zstd::libzstd_shared")
        self.cpp_info.components["zstdlib"].includedirs, self.cpp_info.components["zstdlib"].libdirs = [], []
        self.cpp_info.components["zstdlib"].system_libs = ["zstd"]
