import { useEffect, useState } from "react";

/** What a piece of the program that comes only when it is needed gives; null until it is here. `load` must stay the same function. */
export function useLoaded<T>(load: () => Promise<T>): T | null {
  const [loaded, setLoaded] = useState<{ load: () => Promise<T>; value: T } | null>(null);
  useEffect(() => {
    let wanted = true;
    void load().then((value) => wanted && setLoaded({ load, value }));
    return () => {
      wanted = false;
    };
  }, [load]);
  return loaded?.load === load ? loaded.value : null;
}
