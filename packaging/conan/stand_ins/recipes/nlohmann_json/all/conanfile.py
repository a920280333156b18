from conan import ConanFile


class NlohmannJsonStandIn(ConanFile):
    name = "nlohmann_json"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "nlohmann_json")
        self.cpp_info.set_property("cmake_target_name", "nlohmann_json::nlohmann_json")
        self.cpp_info.includedirs, self.cpp_info.libdirs = [], []
