from conan import ConanFile


class BoostStandIn(ConanFile):
    name = "boost"
    package_type = "shared-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"header_only": [True, False], "without_json": [True, False]}
    default_options = {"header_only": False, "without_json": False}

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "Boost")
        self._component("headers")
        if not self.options.header_only and not self.options.without_json:
            self._component("json", requires=["headers"], system_libs=["boost_json"])

    def _component(self, name, requires=(), system_libs=()):
        component = self.cpp_info.components[name]
        component.set_property("cmake_target_name", f"Boost::{name}")
        component.includedirs, component.libdirs = [], []
        component.requires, component.system_libs = list(requires), list(system_libs)
