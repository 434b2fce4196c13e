import { say } from "../language/say.ts";
import type { Expr, Statement } from "./python.ts";
import { binary } from "./torch-arithmetic.ts";
import { assign, tidyPath } from "./torch-attributes.ts";
import { isTrue, itemsOf } from "./torch-convert.ts";
import { type Done, NEXT, type Reading, Unreadable } from "./torch-reading.ts";
import { Builtin, Class, Container, Instance, Poison, Scope, Sequence, UserFunction } from "./torch-values.ts";

/** Runs a statement as Python would. */
export function runStatement(r: Reading, statement: Statement, scope: Scope): Done {
  switch (statement.kind) {
    case "unreadable":
      throw new Unreadable(statement.why);
    case "class": {
      const members = new Scope(scope);
      const [first] = statement.body;
      const doc = first?.kind === "expression" && first.value.kind === "text" ? first.value.value : "";
      const made = new Class(
        statement.name,
        statement.bases.map((base) => r.evaluate(base, scope)),
        members.names,
        doc,
        statement.line,
      );
      r.block(statement.body, members);
      for (const member of members.names.values()) if (member instanceof UserFunction) member.owner = made;
      scope.names.set(statement.name, made);
      return NEXT;
    }
    case "function":
      scope.names.set(statement.name, new UserFunction(statement, scope));
      return NEXT;
    case "import":
      for (const { path, alias } of statement.names) {
        if (alias === "*") continue;
        const name = alias || (path.split(".")[0] ?? path);
        scope.names.set(name, new Builtin(tidyPath(alias ? path : name)));
      }
      return NEXT;
    case "assign": {
      const value = r.evaluate(statement.value, scope);
      for (const target of statement.targets) assign(r, target, value, scope);
      return NEXT;
    }
    case "augment": {
      const before = r.evaluate(statement.target, scope);
      const value = r.evaluate(statement.value, scope);
      if (before instanceof Container && value instanceof Sequence) for (const item of value.items) before.add(String(before.items.length), item);
      else if (before instanceof Sequence && before.type === "list" && value instanceof Sequence) before.items.push(...value.items);
      else assign(r, statement.target, binary(r, statement.operator, before, value), scope);
      return NEXT;
    }
    case "expression":
      if (statement.value.kind !== "text") r.evaluate(statement.value, scope);
      return NEXT;
    case "if":
      for (const { condition, body } of statement.branches) if (!condition || isTrue(r.evaluate(condition, scope))) return r.block(body, scope);
      return NEXT;
    case "for":
      for (const item of itemsOf(r, r.evaluate(statement.source, scope))) {
        assign(r, statement.target, item, scope);
        const done = r.block(statement.body, scope);
        if (done.kind === "return") return done;
        if (done.kind === "break") break;
      }
      return NEXT;
    case "while": {
      while (isTrue(r.evaluate(statement.condition, scope))) {
        r.count(say("This loop does not end while it is read."));
        const done = r.block(statement.body, scope);
        if (done.kind === "return") return done;
        if (done.kind === "break") break;
      }
      return NEXT;
    }
    case "with":
      return r.block(statement.body, scope);
    case "return":
      return { kind: "return", value: statement.value ? r.evaluate(statement.value, scope) : null };
    case "assert":
      return NEXT;
    case "raise":
      throw new Unreadable(say("The code gives up here, with the arguments that it has."));
    case "break":
    case "continue":
      return { kind: statement.kind };
    default:
      return NEXT;
  }
}

/** Marks what a statement would have set, had it been read. */
export function poisonTarget(r: Reading, target: Expr, scope: Scope): void {
  if (target.kind === "sequence") for (const item of target.items) poisonTarget(r, item, scope);
  if (target.kind !== "attribute" || target.object.kind !== "name") return;
  const object = scope.find(target.object.name);
  if (object instanceof Instance) object.attributes.set(target.name, new Poison());
}

/** Names that a statement would have given, had it been read. */
export function assignedNames(statement: Statement): string[] {
  const namesOf = (target: Expr): string[] => (target.kind === "name" ? [target.name] : target.kind === "sequence" ? target.items.flatMap(namesOf) : []);
  switch (statement.kind) {
    case "assign":
      return statement.targets.flatMap(namesOf);
    case "augment":
      return namesOf(statement.target);
    case "if":
      return statement.branches.flatMap(({ body }) => body.flatMap(assignedNames));
    case "for":
      return [...namesOf(statement.target), ...statement.body.flatMap(assignedNames)];
    case "while":
    case "with":
      return statement.body.flatMap(assignedNames);
    case "class":
    case "function":
      return [statement.name];
    default:
      return [];
  }
}
