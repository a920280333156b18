#pragma once

#include <pgq/cron/describe.hpp>
#include <pgq/cron/every.hpp>
#include <pgq/cron/expression.hpp>
#include <pgq/cron/zone.hpp>
