//! The standard modules: texts of the language in `stdlib/`, imported by their bare name.

use rhai::exported_module;

use super::testing;
use crate::script::docs::StdModule;

/// All of them, in the order of their names.
pub const MODULES: &[StdModule] = &[
    functions_of("bench", include_str!("../../../stdlib/bench.rhai")),
    functions_of("chaos", include_str!("../../../stdlib/chaos.rhai")),
    functions_of("compose", include_str!("../../../stdlib/compose.rhai")),
    functions_of("rollout", include_str!("../../../stdlib/rollout.rhai")),
    functions_of("stack", include_str!("../../../stdlib/stack.rhai")),
    functions_of("table", include_str!("../../../stdlib/table.rhai")),
    StdModule {
        name: "test",
        text: include_str!("../../../stdlib/test.rhai"),
        native: Some(|| exported_module!(testing::testing)),
    },
    functions_of("variables", include_str!("../../../stdlib/variables.rhai")),
    functions_of("wait", include_str!("../../../stdlib/wait.rhai")),
];

const fn functions_of(name: &'static str, text: &'static str) -> StdModule {
    StdModule { name, text, native: None }
}

/// Returns the module of this name.
pub fn find(name: &str) -> Option<&'static StdModule> {
    MODULES.iter().find(|module| module.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_library_is_a_module() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib");
        let mut files: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".rhai").map(str::to_owned))
            .collect();
        files.sort();
        let names: Vec<&str> = MODULES.iter().map(|module| module.name).collect();
        assert_eq!(files, names);
    }
}
