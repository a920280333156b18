c++ -std=c++20 main.cpp -o app $(pkg-config --cflags --libs pgq-libpq pgq-json)
