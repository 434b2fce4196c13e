/** Names and literals as Python reads them. */

const KEYWORDS = new Set(
  "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield match case type".split(
    " ",
  ),
);

/** Names that generated code means something by; no argument or class may hide them. */
export const RESERVED_NAMES = ["self", "torch", "nn", "F", "int", "range", "layer", "load"];

/** What `nn.Module` has already; a layer of that name would hide it. */
const MODULE_ATTRIBUTES = (
  "T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval extra_repr float forward " +
  "get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules mtia named_buffers named_children named_modules " +
  "named_parameters parameters register_backward_hook register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook " +
  "register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter " +
  "register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu zero_grad"
).split(" ");

/** Gives each of many ids an identifier of its own: itself where Python can take it, else the nearest that it can. */
export class Identifiers {
  readonly #byId = new Map<string, string>();
  readonly #taken = new Set<string>();
  readonly #reserved: ReadonlySet<string>;

  constructor(reserved: Iterable<string> = []) {
    this.#reserved = new Set(reserved);
  }

  /** Ids asked for first keep their names, so ask for those that need no change before the others. */
  of(id: string): string {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const plain = id.normalize("NFKC").replaceAll(/[^A-Za-z0-9_]+/g, "_") || "_";
    const stem = /^[A-Za-z]/.test(plain) ? plain : `n${plain}`;
    const isFree = (name: string) => !KEYWORDS.has(name) && !this.#reserved.has(name) && !this.#taken.has(name);
    let name = isFree(stem) ? stem : `${stem}_`;
    for (let i = 2; !isFree(name); i++) name = `${stem}_${i}`;
    this.#byId.set(id, name);
    this.#taken.add(name);
    return name;
  }

  /** A further identifier like `id`, unlike all given out before. */
  fresh(id: string): string {
    this.#byId.delete(id);
    return this.of(id);
  }
}

/** Attribute names of one module's children, none of them in `taken`. */
export function attributeNames(ids: readonly string[], taken: readonly string[] = []): Identifiers {
  const names = new Identifiers([...MODULE_ATTRIBUTES, ...taken]);
  for (const id of ids.filter((id) => /^[A-Za-z][A-Za-z0-9_]*$/.test(id))) names.of(id);
  return names;
}

/** `repeat_1` → `Repeat1` */
export function className(text: string): string {
  const words = text
    .normalize("NFKC")
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean);
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return /^[A-Za-z]/.test(joined) ? joined : `Model${joined}`;
}

/** Text as a Python string literal. */
export function quote(text: string): string {
  return JSON.stringify(text);
}
