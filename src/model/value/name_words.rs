//! The words of generated names: adjectives, and surnames of people who made science and
//! engineering what they are.

use super::name::ContainerName;

impl ContainerName {
    /// Returns a name such as `patient_hopper`, chosen by `random`. `attempt` counts from 1; from
    /// the second on a digit is appended, because the first name was taken. After six attempts
    /// callers use the short id.
    pub fn generate(random: u64, attempt: u32) -> ContainerName {
        let pick = |words: &[&'static str], number: u64| {
            let index = number % (words.len() as u64);
            words[usize::try_from(index).unwrap_or(0)]
        };
        let adjective = pick(&ADJECTIVES, random);
        let surname = pick(&SURNAMES, random >> 16);
        let digit = (random >> 48) % 10;
        let digit = if attempt > 1 { digit.to_string() } else { String::new() };
        ContainerName::from_words(&format!("{adjective}_{surname}{digit}"))
    }
}

// One word to a line would make this file four times as long.
#[rustfmt::skip]
const ADJECTIVES: [&str; 113] = [
    "able", "agile", "amber", "ample", "apt", "artful", "avid", "bold", "brave", "breezy", "bright",
    "brisk", "calm", "candid", "careful", "cheerful", "clear", "clever", "coastal", "cosmic",
    "crisp", "curious", "dapper", "daring", "deft", "dreamy", "eager", "earnest", "easy", "elegant",
    "exact", "fair", "faithful", "fearless", "festive", "fluent", "fond", "frank", "fresh",
    "friendly", "frosty", "gallant", "generous", "gentle", "gifted", "glad", "golden", "graceful",
    "grand", "happy", "hardy", "hearty", "helpful", "honest", "humble", "jolly", "jovial", "joyful",
    "keen", "kind", "lively", "logical", "loyal", "lucid", "lucky", "magical", "mellow", "merry",
    "mighty", "mindful", "modest", "musing", "neat", "nimble", "noble", "novel", "patient",
    "peaceful", "playful", "polite", "proud", "quick", "quiet", "radiant", "rapid", "ready",
    "resolute", "serene", "sharp", "silent", "sincere", "smart", "snug", "solid", "spirited",
    "stoic", "sturdy", "subtle", "sunny", "swift", "tender", "thoughtful", "tidy", "trusting",
    "upbeat", "vivid", "warm", "willing", "wise", "witty", "wonderful", "zealous", "zen",
];

// One word to a line would make this file four times as long.
#[rustfmt::skip]
const SURNAMES: [&str; 263] = [
    "abel", "agnesi", "aiken", "alhazen", "alkhwarizmi", "ampere", "anning", "archimedes",
    "aryabhata", "atanasoff", "avicenna", "avogadro", "babbage", "backus", "banach", "bardeen",
    "bartik", "bassi", "bayes", "becquerel", "bessel", "bhabha", "bhaskara", "blackwell", "bohr",
    "boltzmann", "boole", "born", "bose", "bragg", "brahe", "brahmagupta", "brattain", "brunel",
    "cantor", "carnot", "carver", "cassini", "cauchy", "cavendish", "celsius", "cerf",
    "chandrasekhar", "chatelet", "chebyshev", "choemuseon", "choihyungsup", "choisukjeong",
    "chomsky", "church", "clausius", "codd", "copernicus", "coulomb", "cray", "curie", "curry",
    "dahl", "daimler", "dalton", "darwin", "davinci", "davy", "dedekind", "descartes", "diesel",
    "diffie", "dijkstra", "diophantus", "dirac", "doppler", "eckert", "einstein", "elgamal",
    "elion", "engelbart", "eratosthenes", "erdos", "euclid", "euler", "faraday", "feistel",
    "fermat", "fermi", "feynman", "fibonacci", "fleming", "floyd", "fourier", "franklin", "fresnel",
    "galileo", "galois", "galvani", "gauss", "geiger", "germain", "gibbs", "godel", "gray",
    "grothendieck", "haber", "halley", "hamilton", "hamming", "harrison", "heisenberg", "hellman",
    "heojun", "herschel", "hertz", "hilbert", "hoare", "hodgkin", "holberton", "hongdaeyong",
    "hooke", "hopper", "hubble", "humboldt", "huygens", "hypatia", "ishizaka", "iverson", "jacobi",
    "jacquard", "jangyeongsil", "jemison", "jennings", "jeongyakyong", "joliot", "joule", "kalam",
    "kapitsa", "kay", "keldysh", "kelvin", "kepler", "khayyam", "khorana", "kilby", "kimjeongho",
    "kimsoonkwon", "kimyongkwan", "kleene", "klein", "knuth", "kolmogorov", "kovalevskaya",
    "lagrange", "lamarck", "lamarr", "lamport", "landau", "laplace", "lavoisier", "lax", "leavitt",
    "lebesgue", "leecheon", "leehwiso", "leejema", "leetaegyu", "legendre", "leibniz", "lie",
    "liskov", "lister", "lorentz", "lovelace", "mach", "marconi", "margulis", "matsumoto",
    "mauchly", "maxwell", "mccarthy", "mcclintock", "mcnulty", "meitner", "mendel", "mendeleev",
    "merkle", "michelson", "milner", "minkowski", "minsky", "mirzakhani", "moore", "morse",
    "moseley", "napier", "nash", "naur", "neumann", "newton", "nightingale", "noether", "noyce",
    "nygaard", "ohm", "oppenheimer", "papert", "pascal", "pasteur", "pauli", "pavlov", "payne",
    "peano", "penrose", "perlman", "planck", "poincare", "postel", "ptolemy", "raman", "ramanujan",
    "ramsey", "rayleigh", "riemann", "ritchie", "rivest", "roentgen", "rubin", "russell",
    "rutherford", "sammet", "schrodinger", "seki", "seokjumyung", "shamir", "shannon", "shockley",
    "siemens", "simon", "stokes", "stroustrup", "sussman", "sutherland", "szilard", "takagi",
    "tarjan", "tarski", "tesla", "thales", "tharp", "thomson", "tsiolkovsky", "tu", "tukey",
    "turing", "volta", "wallace", "watt", "weierstrass", "wiener", "wirth", "woojangchun",
    "wozniak", "wu", "yukawa", "zeno", "zuse",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_word_makes_a_valid_name_and_none_occurs_twice() {
        let mut seen = HashSet::new();
        for word in ADJECTIVES.iter().chain(&SURNAMES) {
            assert!(word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
            assert!(seen.insert(*word), "{word}");
        }
        for adjective in ADJECTIVES {
            for surname in SURNAMES {
                let name = format!("{adjective}_{surname}");
                assert!(name.parse::<ContainerName>().is_ok(), "{name}");
                assert_ne!(name, "boring_wozniak"); // Steve Wozniak is not boring
            }
        }
    }

    #[test]
    fn later_attempts_append_a_digit() {
        let random = 0x0007_0000_0000_0000;
        let first = ContainerName::generate(random, 1).to_string();
        assert_eq!(ContainerName::generate(random, 2).to_string(), format!("{first}7"));
        assert!(ContainerName::generate(u64::MAX, 6).as_str().parse::<ContainerName>().is_ok());
    }
}
