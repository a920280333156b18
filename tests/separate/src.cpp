#include <pgq/src.hpp>
