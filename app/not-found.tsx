import { say } from "../core/language/say.ts";
import { ButtonLink } from "./ui/Button.tsx";
import { TopBar } from "./ui/TopBar.tsx";

export default function NotFound() {
  return (
    <>
      <TopBar place={[{ label: "Tensorloom", href: "/" }, { label: say("Nothing here") }]} />
      <main className="mx-auto flex max-w-md flex-col items-start gap-2 px-4 py-24">
        <h1 className="text-title font-semibold">{say("There is nothing at this address")}</h1>
        <p className="text-ink2">{say("It may have been deleted, or the link lost a part on its way.")}</p>
        <ButtonLink href="/" className="mt-2">
          {say("All models")}
        </ButtonLink>
      </main>
    </>
  );
}
