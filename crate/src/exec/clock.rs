//! One clock for the native build and the browser.

/// Seconds since some moment, for durations. `std::time::Instant` does not exist in a browser.
pub fn seconds() -> f64 {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use std::{sync::LazyLock, time::Instant};
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed().as_secs_f64()
    }
    #[cfg(target_arch = "wasm32")]
    {
        use wasm_bindgen::JsCast;
        // A page and a worker have different global objects, and both have `performance`.
        let performance = js_sys::Reflect::get(&js_sys::global(), &"performance".into());
        match performance.map(|p| p.dyn_into::<web_sys::Performance>()) {
            Ok(Ok(performance)) => performance.now() / 1000.0,
            _ => js_sys::Date::now() / 1000.0,
        }
    }
}
