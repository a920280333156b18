import os

from conan import ConanFile
from conan.tools.build import can_run
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout


class TestPackageConan(ConanFile):
    settings = "os", "arch", "compiler", "build_type"

    # An option of the package, and the component that it brings.
    _components = {
        "with_libpq": "libpq",
        "with_asio": "asio",
        "with_boost_json": "json",
        "with_nlohmann_json": "nlohmann",
        "with_libsodium": "sodium",
        "with_zstd": "zstd",
        "with_date": "timezones",
        "with_prometheus_cpp": "prometheus",
        "with_cli11": "cli",
        "with_catch2": "testing",
    }

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires(self.tested_reference_str)

    def generate(self):
        options = self.dependencies["pgq"].options
        wanted = [name for option, name in self._components.items() if options.get_safe(option)]
        absent = [name for name in self._components.values() if name not in wanted]
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["TEST_COMPONENTS"] = ";".join(wanted)
        toolchain.cache_variables["TEST_ABSENT"] = ";".join(absent)
        toolchain.user_presets_path = False
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def test(self):
        if not can_run(self):
            return
        self.run(os.path.join(self.cpp.build.bindir, "test_package"), env="conanrun")
        if self.dependencies["pgq"].options.with_catch2:
            self.run(os.path.join(self.cpp.build.bindir, "test_laws"), env="conanrun")
