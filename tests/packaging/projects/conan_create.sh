conan create . -s compiler.cppstd=20 --build=missing
