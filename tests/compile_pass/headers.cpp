// The compile flags find our headers and those of every library that a fixture includes.
#include <pgq/error/result.hpp>

#include <asio/version.hpp>
#include <boost/hana/accessors.hpp>
#include <boost/json/fwd.hpp>
#include <libpq-fe.h>

static_assert(pgq::sqlstate("40001") != 0);
