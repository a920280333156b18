from conan import ConanFile


class Catch2StandIn(ConanFile):
    name = "catch2"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "Catch2")
        self.cpp_info.set_property("cmake_target_name", "Catch2::Catch2WithMain")
        self.cpp_info.components["_catch2"].set_property("cmake_target_name", "Catch2::Catch2")
        self.cpp_info.components["_catch2"].includedirs, self.cpp_info.components["_catch2"].libdirs = [], []
