import { TranscriptEditor } from "../studio/editor";

customElements.define("transcript-editor", TranscriptEditor);
