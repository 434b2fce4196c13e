/** Why a file did not arrive: the server's own sentence where it gave one. */
export class UploadError extends Error {}

/** Sends a file to the server, which keeps it for an hour until it is told what to do with it. `onProgress` is told the share that is there. */
export function uploadFile(file: Blob, onProgress: (share: number) => void, signal: AbortSignal): Promise<{ uploadId: string }> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/uploads");
    // Whatever kind the system takes the file for; the server looks at its bytes.
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => {
      const answer = readAnswer(request.responseText);
      if (request.status === 201 && typeof answer.uploadId === "string") resolve({ uploadId: answer.uploadId });
      else reject(new UploadError(typeof answer.message === "string" ? answer.message : `The file could not be taken (${request.status}).`));
    };
    request.onerror = () => reject(new UploadError("The connection broke while the file was sent. Try again."));
    request.onabort = () => reject(new DOMException("Stopped.", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file);
  });
}

function readAnswer(text: string): { uploadId?: unknown; message?: unknown } {
  try {
    const answer: unknown = JSON.parse(text);
    return answer && typeof answer === "object" ? answer : {};
  } catch {
    return {};
  }
}
