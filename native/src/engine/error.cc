#include "error.h"

#include "json.h"

namespace tensorloom {

std::string Failure::to_json() const {
  JsonWriter json;
  json.open('{').key("code").value(code).key("message").value(message);
  if (!node.empty()) json.key("node").value(node);
  if (!op.empty()) json.key("op").value(op);
  if (step >= 0) json.key("step").value(step);
  if (!shapes.empty()) {
    json.key("shapes").open('[');
    for (const auto& shape : shapes) json.value(shape);
    json.close(']');
  }
  if (asked_bytes >= 0) json.key("askedBytes").value(asked_bytes);
  if (needed_bytes >= 0) json.key("neededBytes").value(needed_bytes);
  if (limit_bytes >= 0) json.key("limitBytes").value(limit_bytes);
  return json.close('}').take();
}

} // namespace tensorloom
