from conan import ConanFile


class Cli11StandIn(ConanFile):
    name = "cli11"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "CLI11")
        self.cpp_info.set_property("cmake_target_name", "CLI11::CLI11")
        self.cpp_info.includedirs, self.cpp_info.libdirs = [], []
