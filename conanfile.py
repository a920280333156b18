import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain
from conan.tools.files import copy, load
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class PgqConan(ConanFile):
    name = "pgq"
    description = "PostgreSQL as a job queue with typed jobs"
    license = "MIT"
    topics = ("postgresql", "job-queue", "background-jobs", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    no_copy_source = True

    # An option per component. The package is the same for all of them: an option says which libraries come along.
    options = {
        "with_libpq": [True, False],
        "with_asio": [True, False],
        "with_boost_json": [True, False],
        "with_nlohmann_json": [True, False],
        "with_libsodium": [True, False],
        "with_zstd": [True, False],
        "with_date": [True, False],
        "with_prometheus_cpp": [True, False],
        "with_cli11": [True, False],
        "with_catch2": [True, False],
    }
    default_options = {
        "with_libpq": True,
        "with_asio": False,
        "with_boost_json": True,
        "with_nlohmann_json": False,
        "with_libsodium": False,
        "with_zstd": False,
        "with_date": False,
        "with_prometheus_cpp": False,
        "with_cli11": False,
        "with_catch2": False,
    }

    exports_sources = "LICENSE", "include/*", "sql/*", "CMakeLists.txt", "cmake/*", "tests/*"
    test_package_folder = "packaging/conan/test_package"

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "include", "pgq", "version.hpp"))
        self.version = re.search(r'define PGQ_VERSION "([0-9.]+)"', header).group(1)

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("boost/1.91.0")
        if self.options.with_libpq:
            self.requires("libpq/17.7")
        if self.options.with_asio:
            self.requires("asio/1.38.2")
        if self.options.with_nlohmann_json:
            self.requires("nlohmann_json/3.12.0")
        if self.options.with_libsodium:
            self.requires("libsodium/1.0.22")
        if self.options.with_zstd:
            self.requires("zstd/[~1.5]")
        if self.options.with_date:
            self.requires("date/3.0.4", options={"header_only": False, "tz_db": "system"})
        if self.options.with_prometheus_cpp:
            self.requires("prometheus-cpp/1.3.0")
        if self.options.with_cli11:
            self.requires("cli11/2.4.2")
        if self.options.with_catch2:
            self.requires("catch2/3.15.3")

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os != "Linux":
            raise ConanInvalidConfiguration(f"pgq does not compile on {self.settings.os}: it needs functions of Linux")
        if self.options.with_asio and not self.options.with_libpq:
            raise ConanInvalidConfiguration("pgq: with_asio=True needs with_libpq=True, because pgq::asio uses libpq")
        if self.options.with_cli11 and not (self.options.with_libpq and self.options.with_boost_json):
            raise ConanInvalidConfiguration(
                "pgq: with_cli11=True needs with_libpq=True and with_boost_json=True, because pgq::cli uses both"
            )
        boost = self.dependencies["boost"].options
        if self.options.with_boost_json and (boost.get_safe("header_only") or boost.get_safe("without_json")):
            raise ConanInvalidConfiguration(
                "pgq: with_boost_json=True needs boost/*:header_only=False and boost/*:without_json=False,"
                " because Boost.JSON is a compiled library"
            )
        if self.options.with_date:
            date = self.dependencies["date"].options
            if date.get_safe("header_only") or date.get_safe("tz_db") != "system":
                raise ConanInvalidConfiguration(
                    "pgq: with_date=True needs date/*:header_only=False and date/*:tz_db=system,"
                    " because pgq::timezones reads the time zones of the system"
                )

    @property
    def _builds_tests(self):
        return self.conf.get("tools.build:skip_test", default=True, check_type=bool) is False

    def validate_build(self):
        needed = ("with_libpq", "with_asio", "with_boost_json", "with_catch2")
        missing = [option for option in needed if not self.options.get_safe(option)]
        if self._builds_tests and missing:
            raise ConanInvalidConfiguration(
                f"pgq: tools.build:skip_test=False needs {', '.join(f'{option}=True' for option in missing)}"
            )

    def generate(self):
        if self._builds_tests:
            CMakeDeps(self).generate()
            CMakeToolchain(self).generate()

    def build(self):
        if not self._builds_tests:
            return
        # Compiles all headers twice, in opposite orders, with the libraries that Conan found.
        cmake = CMake(self)
        others = ("PGQ_BUILD_EXAMPLES", "PGQ_BUILD_BENCH", "PGQ_BUILD_TOOLS", "PGQ_INSTALL")
        cmake.configure(variables={"PGQ_BUILD_TESTS": "ON", **{name: "OFF" for name in others}})
        cmake.build(target="test_odr")
        cmake.ctest(["-R", "^odr$", "--output-on-failure", "--no-tests=error"])

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        for ending in ("*.hpp", "*.ipp"):
            copy(self, ending, os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))
        copy(self, "*.sql", os.path.join(self.source_folder, "sql"), os.path.join(self.package_folder, "share", "pgq", "sql"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "pgq")
        # The components have the names that the CMake package has. So pgq::pgq is the core, without the others.
        self.cpp_info.set_property("cmake_target_name", "pgq::all")
        self.cpp_info.set_property("pkg_config_name", "pgq-all")
        sql = os.path.join(self.package_folder, "share", "pgq", "sql")
        self.cpp_info.set_property("cmake_extra_variables", {"pgq_SQL_DIR": sql})
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []

        self._component("pgq", "boost::headers")
        self.cpp_info.components["pgq"].resdirs = ["share/pgq"]
        self.cpp_info.components["pgq"].system_libs = ["pthread"]
        if self.options.with_libpq:
            self._component("libpq", "pgq", "libpq::pq")
        if self.options.with_asio:
            self._component("asio", "libpq", "asio::asio")
        if self.options.with_boost_json:
            self._component("json", "pgq", "boost::json")
        if self.options.with_nlohmann_json:
            self._component("nlohmann", "pgq", "nlohmann_json::nlohmann_json")
        if self.options.with_libsodium:
            self._component("sodium", "pgq", "libsodium::libsodium")
        if self.options.with_zstd:
            self._component("zstd", "pgq", "zstd::zstdlib")
        if self.options.with_date:
            self._component("timezones", "pgq", "date::date-tz")
            self.cpp_info.components["timezones"].defines = ["PGQ_CLI_TIMEZONES"]
        if self.options.with_prometheus_cpp:
            self._component("prometheus", "pgq", "prometheus-cpp::prometheus-cpp-core")
            self.cpp_info.components["prometheus"].defines = ["PGQ_CLI_PROMETHEUS"]
        if self.options.with_cli11:
            self._component("cli", "libpq", "json", "cli11::cli11")
        if self.options.with_catch2:
            self._component("testing", "pgq", "catch2::_catch2")

    def _component(self, name, *requires):
        component = self.cpp_info.components[name]
        component.set_property("cmake_target_name", f"pgq::{name}")
        component.set_property("pkg_config_name", "pgq" if name == "pgq" else f"pgq-{name}")
        component.requires = list(requires)
        component.bindirs = []
        component.libdirs = []
