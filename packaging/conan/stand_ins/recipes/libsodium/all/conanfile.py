from conan import ConanFile


class LibsodiumStandIn(ConanFile):
    name = "libsodium"
    package_type = "shared-library"
    settings = "os", "arch", "compiler", "build_type"

    def package_info(self):
        self.cpp_info.includedirs, self.cpp_info.libdirs = [], []
        self.cpp_info.system_libs = ["sodium"]
