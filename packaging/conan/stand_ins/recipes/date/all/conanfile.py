from conan import ConanFile


class DateStandIn(ConanFile):
    name = "date"
    package_type = "shared-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"header_only": [True, False], "tz_db": ["download", "system", "manual"]}
    default_options = {"header_only": False, "tz_db": "download"}

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "date")
        self.cpp_info.set_property("cmake_target_name", "date::date")
        component = self.cpp_info.components["date-tz"]
        component.set_property("cmake_target_name", "date::date-tz")
        component.includedirs, component.libdirs = [], []
        component.system_libs = ["date-tz", "pthread"]
        if self.options.tz_db == "system":
            component.defines = ["USE_OS_TZDB=1"]
