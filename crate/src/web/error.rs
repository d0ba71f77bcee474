//! Errors on their way into JavaScript: an `Error` with a `code` for programs and a sentence for people.

use wasm_bindgen::JsValue;

/// `text` as a sentence: a capital at its start, a full stop at its end.
fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let mut sentence: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

/// A JavaScript `Error` whose property `code` is `code` (see `ErrorCode` in the TypeScript package).
pub fn js_error(code: &str, error: &dyn std::error::Error) -> JsValue {
    let js = js_sys::Error::new(&sentence(&error.to_string()));
    // Setting a property of an ordinary object that was made here cannot fail.
    let _ = js_sys::Reflect::set(&js, &"code".into(), &code.into());
    js.into()
}

/// Turns the error of a stage into a JavaScript error.
pub trait OrJs<T> {
    /// The value, or an error with this code.
    ///
    /// # Errors
    /// The stage's own, with its sentence.
    fn or_js(self, code: &str) -> Result<T, JsValue>;
}

impl<T, E: std::error::Error> OrJs<T> for Result<T, E> {
    fn or_js(self, code: &str) -> Result<T, JsValue> {
        self.map_err(|error| js_error(code, &error))
    }
}
