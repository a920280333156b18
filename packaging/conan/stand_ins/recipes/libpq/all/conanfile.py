from conan import ConanFile


class LibpqStandIn(ConanFile):
    name = "libpq"
    package_type = "shared-library"
    settings = "os", "arch", "compiler", "build_type"

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "PostgreSQL")
        self.cpp_info.components["pq"].set_property("cmake_target_name", "PostgreSQL::PostgreSQL")
        self.cpp_info.components["pq"].includedirs = ["/usr/include/postgresql"]
        self.cpp_info.components["pq"].libdirs = []
        self.cpp_info.components["pq"].system_libs = ["pq"]
