from conan import ConanFile


class AsioStandIn(ConanFile):
    name = "asio"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"

    def package_info(self):
        self.cpp_info.defines = ["ASIO_STANDALONE"]
        if self.settings.compiler == "clang":  # for Asio before 1.24, which does not find the coroutines of Clang
            self.cpp_info.defines += ["ASIO_HAS_CO_AWAIT=1", "ASIO_HAS_STD_COROUTINE=1"]
        self.cpp_info.includedirs, self.cpp_info.libdirs = [], []
        self.cpp_info.system_libs = ["pthread"]
