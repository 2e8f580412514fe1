//! Images of as many layers as nobody should make.

use std::collections::BTreeMap;
use std::io::Read as _;

use crate::archives::{append, docker_archive};
use crate::harness::{TestEngine, fixture};
use crate::needs_root;

/// What a layer says, and the files that must be seen after it: path to content, `None` for a
/// directory.
#[derive(Default)]
struct Model {
    seen: BTreeMap<String, Option<String>>,
    seed: u64,
}

impl Model {
    /// A small number that is the same in each run.
    fn pick(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.seed >> 33) % below
    }

    fn any(&mut self, directory: bool) -> Option<String> {
        let matching: Vec<_> =
            self.seen.iter().filter(|(_, content)| content.is_none() == directory).collect();
        let names: Vec<String> = matching.into_iter().map(|(name, _)| name.clone()).collect();
        let count = names.len() as u64;
        if count == 0 { None } else { names.into_iter().nth(self.pick(count).try_into().unwrap()) }
    }

    fn forget(&mut self, path: &str) {
        let inside = format!("{path}/");
        self.seen.retain(|name, _| name != path && !name.starts_with(&inside));
    }

    fn add(&mut self, layer: &mut Layer, path: &str, content: Option<&str>) {
        let parents = path.match_indices('/').map(|(at, _)| path[..at].to_owned());
        for parent in parents.chain(content.is_none().then(|| path.to_owned())) {
            // A file gives way to a directory.
            if !matches!(self.seen.get(&parent), Some(None)) {
                self.forget(&parent);
                self.seen.insert(parent.clone(), None);
            }
            layer.entry(&parent, tar::EntryType::Directory, "");
        }
        if let Some(content) = content {
            self.forget(path);
            self.seen.insert(path.to_owned(), Some(content.to_owned()));
            layer.entry(path, tar::EntryType::Regular, content);
        }
    }

    fn hide(&mut self, layer: &mut Layer, path: &str) {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        layer.entry(parent, tar::EntryType::Directory, "");
        layer.entry(&format!("{parent}/.wh.{name}"), tar::EntryType::Regular, "");
        self.forget(path);
    }

    /// One layer that adds, replaces or takes away something.
    fn layer(&mut self, number: usize) -> Vec<u8> {
        let mut layer = Layer::default();
        let directory = format!("d{}/e{}", self.pick(8), self.pick(8));
        let content = format!("layer {number}");
        match self.pick(16) {
            0 | 1 => {
                let path = self.any(false).unwrap_or(format!("{directory}/x"));
                self.add(&mut layer, &path, Some(&content));
            }
            2 => match self.any(false) {
                Some(path) => self.hide(&mut layer, &path),
                None => self.add(&mut layer, &directory, None),
            },
            3 => match self.any(true) {
                // A whole directory; now and then it comes again, in the same layer.
                Some(path) if path.contains('/') => {
                    self.hide(&mut layer, &path);
                    if number.is_multiple_of(2) {
                        self.add(&mut layer, &format!("{path}/again"), Some(&content));
                    }
                }
                _ => self.add(&mut layer, &directory, None),
            },
            4 => {
                self.add(&mut layer, &directory, None);
                layer.entry(&format!("{directory}/.wh..wh..opq"), tar::EntryType::Regular, "");
                self.forget(&directory);
                self.add(&mut layer, &format!("{directory}/only"), Some(&content));
            }
            6.. => self.add(&mut layer, &format!("{directory}/f{number}"), Some(&content)),
            // A file where a directory was, or the other way around.
            _ => match self.any(true).filter(|path| path.contains('/')) {
                Some(path) => self.add(&mut layer, &path, Some(&content)),
                None => self.add(&mut layer, &directory, Some(&content)),
            },
        }
        layer.0.into_inner().unwrap()
    }

    fn expected(&self) -> String {
        let line = |(name, content): (&String, &Option<String>)| match content {
            Some(content) => format!("{name}: {content}\n"),
            None => format!("{name}/\n"),
        };
        self.seen.iter().map(line).collect()
    }
}

/// A layer whose entries lie in `/data`.
struct Layer(tar::Builder<Vec<u8>>);

impl Default for Layer {
    fn default() -> Self {
        Layer(tar::Builder::new(Vec::new()))
    }
}

impl Layer {
    fn entry(&mut self, path: &str, kind: tar::EntryType, content: &str) {
        let path = if path.is_empty() { "data".to_owned() } else { format!("data/{path}") };
        append(&mut self.0, &path, kind, content.as_bytes(), 0o755);
    }
}

/// A layer with busybox, from the image that Docker saved.
fn busybox() -> Vec<u8> {
    let archive = std::fs::File::open(fixture("hundredcounter.docker.tar")).unwrap();
    let mut archive = tar::Archive::new(archive);
    for member in archive.entries().unwrap() {
        let mut bytes = Vec::new();
        member.unwrap().read_to_end(&mut bytes).unwrap();
        let mut layer = tar::Archive::new(&bytes[..]);
        let Ok(mut entries) = layer.entries() else { continue };
        while let Some(Ok(mut entry)) = entries.next() {
            if entry.path().unwrap().ends_with("bin/busybox") {
                let mut program = Vec::new();
                entry.read_to_end(&mut program).unwrap();
                let mut layer = tar::Builder::new(Vec::new());
                append(&mut layer, "busybox", tar::EntryType::Regular, &program, 0o755);
                append(&mut layer, "data", tar::EntryType::Directory, b"", 0o755);
                return layer.into_inner().unwrap();
            }
        }
    }
    panic!("the fixture has no busybox");
}

fn archive(tag: &str, layers: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    docker_archive(&mut bytes, tag, layers);
    bytes
}

/// Shows `/data` as [`Model::expected`] does.
const SHOW: &str = r#"
cd /data
/busybox find . -mindepth 1 -type d | /busybox sed 's|^./||; s|$|/|'
for file in $(/busybox find . -type f); do
    read -r line < "$file" || true
    echo "${file#./}: $line"
done
"#;

fn check(engine: &TestEngine, image: &str, model: &Model) {
    let shown = engine.ok(&["run", "--rm", image, "/busybox", "sh", "-c", SHOW]);
    let mut lines: Vec<_> = shown.lines().collect();
    lines.sort_unstable();
    let expected = model.expected();
    let mut expected: Vec<_> = expected.lines().collect();
    expected.sort_unstable();
    assert_eq!(lines, expected, "{image}");
}

/// What the store has merged.
fn merged(engine: &TestEngine) -> usize {
    std::fs::read_dir(engine.root().join("images/flat")).map_or(0, |entries| entries.count())
}

#[test]
fn an_image_of_a_thousand_layers_loads_and_runs() {
    needs_root!();
    let engine = TestEngine::empty();
    let mut layers = vec![busybox()];
    let mut model = Model::default();
    for (count, name) in [(40, "some"), (390, "many"), (1000, "most")] {
        while layers.len() < count {
            layers.push(model.layer(layers.len()));
        }
        let output = engine.run_with_input(&["load", "-q"], &archive(name, &layers));
        assert!(output.status.success(), "{output:?}");
        check(&engine, name, &model);
    }
    assert!(model.seen.len() > 100, "the test says something: {}", model.expected());
    assert_eq!(merged(&engine), 1);
    // The second container needs no second merge, and what it needs stays.
    engine.ok(&["create", "--name", "keeper", "most", "/busybox", "true"]);
    engine.ok(&["rmi", "many"]);
    assert_eq!(merged(&engine), 1);
    engine.ok(&["start", "-a", "keeper"]);
    engine.ok(&["rm", "keeper"]);
    engine.ok(&["rmi", "most"]);
    assert_eq!(merged(&engine), 0);
    while layers.len() < 1025 {
        layers.push(model.layer(layers.len()));
    }
    let output = engine.run_with_input(&["load", "-q"], &archive("beyond", &layers));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("1025 layers"), "{error}");
}
