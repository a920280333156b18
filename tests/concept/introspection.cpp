#include <pgq/async_worker.hpp>
#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/introspection.hpp>
#include <pgq/observer/all_of.hpp>
#include <pgq/observer/none.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/worker.hpp>

#include "compile_fail/fakes.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace concept_introspection {

// What a program can assert about its queues and workers, and that unused policies cost nothing.
namespace {

using namespace pgq;
using fakes::mail;
using fakes::mail_queue;
using fakes::picture;
using fakes::stranger;

using two = queue<picture, mail, fakes::driver, fakes::serializer>;

static_assert(entrypoints_of<two> == std::array<std::string_view, 2>{"mail", "picture"});
static_assert(entrypoints_of<mail_queue>.size() == 1 && entrypoints_of<mail_queue>[0] == "mail");
static_assert(std::is_same_v<decltype(entrypoints_of<two>), const std::array<std::string_view, 2>>);

struct of_mail {
    void operator()(const mail&) const {}
};
struct of_picture {
    int operator()(const picture&, context&) const { return 1; }
};
struct of_everything {
    void operator()(const auto&) const {}
};

static_assert(handles<worker<two, of_mail, of_picture>, mail>);
static_assert(handles<worker<two, of_mail, of_picture>, picture>);
static_assert(handles<worker<two, of_everything>, picture>);
static_assert(!handles<worker<two, of_everything>, stranger>);
static_assert(!handles<worker<mail_queue, of_mail>, picture>);
// `handles` also accepts a worker whose `run` would not compile.
static_assert(!handles<worker<two, of_mail>, picture>);
static_assert(!handles<worker<two, of_mail, of_everything>, mail>);
static_assert(handles<worker<two, of_mail, of_everything>, picture>);
static_assert(!handles<worker<mail_queue>, mail>);
static_assert(!handles<int, mail> && !handles<mail_queue, mail>);
#if PGQ_HAS_COROUTINES
static_assert(handles<async_worker<two, of_mail, of_picture>, mail>);
static_assert(!handles<async_worker<two, of_mail>, picture>);
#endif

// A policy without settings has no data and no base class with data, so it needs no memory as a member.
static_assert(std::is_empty_v<observer::none> && std::is_empty_v<backoff::none> && std::is_empty_v<serializer::raw>);
static_assert(std::is_empty_v<serializer::json> && std::is_empty_v<observer::all_of<observer::none>>);
static_assert(std::is_empty_v<two::composition_type> && std::is_empty_v<job<mail, backoff::none>>);

// A policy adds nothing to the size of a queue if it is the default, if only its type is used, or if it belongs to one
// entrypoint.
template <class... More>
constexpr std::size_t size_with = sizeof(queue<mail, fakes::driver, fakes::serializer, More...>);
static_assert(size_with<> == size_with<observer::none>);
static_assert(size_with<> == size_with<default_executor>);
static_assert(size_with<> == size_with<backoff::exponential> && size_with<> == size_with<backoff::none>);
static_assert(size_with<> == sizeof(queue<job<mail, backoff::fixed, serializer::raw>, fakes::driver>));
static_assert(size_with<> == sizeof(two));

// Handlers without data add nothing to the size of a worker.
static_assert(sizeof(worker<two, of_mail, of_picture>) == sizeof(worker<mail_queue, of_mail>));

}  // namespace

}  // namespace concept_introspection
