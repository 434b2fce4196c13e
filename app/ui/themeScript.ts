export const THEME_KEY = "tensorloom.theme";

/** Runs before the first paint, so that a chosen theme never flashes. Inlined into the page by the layout. */
export const themeScript = `try{var t=localStorage.getItem("${THEME_KEY}");if(t==="light"||t==="dark")document.documentElement.dataset.theme=t}catch{}`;
