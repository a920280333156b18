from conan import ConanFile


class PrometheusCppStandIn(ConanFile):
    name = "prometheus-cpp"
    package_type = "shared-library"
    settings = "os", "arch", "compiler", "build_type"

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "prometheus-cpp")
        component = self.cpp_info.components["prometheus-cpp-core"]
        component.set_property("cmake_target_name", "prometheus-cpp::core")
        component.set_property("pkg_config_name", "prometheus-cpp-core")
        component.includedirs, component.libdirs = [], []
        component.system_libs = ["prometheus-cpp-core"]
