import { Home } from "./Home.tsx";

export default function Page() {
  return <Home />;
}
