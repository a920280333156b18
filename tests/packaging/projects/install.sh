cmake -B build -DPGQ_BUILD_TESTS=OFF -DCMAKE_INSTALL_PREFIX="$HOME/pgq"
cmake --install build
