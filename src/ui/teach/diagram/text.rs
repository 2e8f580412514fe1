//! Draws the life cycle as text.
//!
//! The positions of the boxes are fixed; the arrows and their verbs come from `layout`.

use unicode_width::UnicodeWidthStr as _;

use super::layout::{DRAWN, Position, notes, verbs};
use crate::model::container::status::Status;
use crate::model::value::language::Language;
use crate::ui::format::columns::padded;
use crate::ui::messages::format_message;

/// The characters of boxes and arrows.
struct Pen {
    corner: [&'static str; 4],
    flat: &'static str,
    upright: &'static str,
    up: &'static str,
    down: &'static str,
    left: &'static str,
    right: &'static str,
    bend: &'static str,
}

const LIGHT: Pen = Pen {
    corner: ["┌", "┐", "└", "┘"],
    flat: "─",
    upright: "│",
    up: "▲",
    down: "▼",
    left: "◀",
    right: "▶",
    bend: "┘",
};
const HEAVY: Pen =
    Pen { corner: ["┏", "┓", "┗", "┛"], flat: "━", upright: "┃", ..LIGHT };
const PLAIN: Pen = Pen {
    corner: ["+", "+", "+", "+"],
    flat: "-",
    upright: "|",
    up: "^",
    down: "v",
    left: "<",
    right: ">",
    bend: "+",
};
/// The box of the present status in ASCII.
const MARKED: Pen = Pen { corner: ["#", "#", "#", "#"], flat: "=", upright: "#", ..PLAIN };

/// Pieces of text at positions in columns of a terminal.
#[derive(Default)]
struct Canvas {
    lines: Vec<Vec<(usize, String)>>,
}

impl Canvas {
    fn put(&mut self, x: usize, y: usize, text: &str) {
        while self.lines.len() <= y {
            self.lines.push(Vec::new());
        }
        self.lines[y].push((x, text.to_owned()));
    }

    /// Returns the lines. Pieces of a line never overlap.
    fn text(mut self) -> String {
        let mut text = String::new();
        for pieces in &mut self.lines {
            pieces.sort_by_key(|(x, _)| *x);
            let mut line = String::new();
            for (x, piece) in pieces.iter() {
                line.push_str(&" ".repeat(x.saturating_sub(line.width())));
                line.push_str(piece);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// The width of a box, and the position of the right column.
const BOX: usize = 24;
const RIGHT: usize = 50;

/// Formats the picture, at most 76 columns wide, with its notes below.
pub fn diagram(language: Language, position: Position<'_>, ascii: bool) -> String {
    format!("{}\n{}", picture(language, position, ascii), notes(language, position, ascii))
}

/// Formats the picture without notes.
pub fn picture(language: Language, position: Position<'_>, ascii: bool) -> String {
    let pen = if ascii { &PLAIN } else { &LIGHT };
    let mut canvas = Canvas::default();
    let title = match position {
        Some((name, _)) => format_message(language, "diagram-title-of", &[("name", name)]),
        None => format_message(language, "diagram-title", &[]),
    };
    canvas.put(0, 0, &title);
    let mut place = |status, x, y| put_box(&mut canvas, language, position, ascii, (status, x, y));
    place(Status::Created, 0, 2);
    place(Status::Running, 0, 8);
    place(Status::Paused, RIGHT, 8);
    place(Status::Exited, 0, 14);
    let down = |canvas: &mut Canvas, x: usize, y: usize, verbs: &str| {
        canvas.put(x, y, &format!("{} {verbs}", pen.upright));
        canvas.put(x, y + 1, pen.down);
    };
    let [start, pause, unpause, stop, again, stop_paused, rm] =
        DRAWN.map(|(from, to)| verbs(from, to));
    down(&mut canvas, 4, 6, &start);
    let gap = RIGHT - BOX;
    let line = pen.flat.repeat(gap - 3);
    canvas.put(BOX + 1, 8, &pause);
    canvas.put(BOX + 1, 9, &format!("{line}{}", pen.right));
    canvas.put(BOX + 1, 10, &format!("{}{line}", pen.left));
    canvas.put(BOX + 1, 11, &unpause);
    down(&mut canvas, 4, 12, &format!("{stop}, ({})", format_message(language, "by-itself", &[])));
    canvas.put(BOX + 8, 12, &format!("{} {again}", pen.up));
    canvas.put(BOX + 8, 13, pen.upright);
    canvas.put(BOX + 8, 14, pen.upright);
    canvas.put(BOX + 1, 15, &format!("{}{}", pen.flat.repeat(7), pen.bend));
    canvas.put(RIGHT + 4, 12, &format!("{} {stop_paused}", pen.upright));
    for y in 13..16 {
        canvas.put(RIGHT + 4, y, pen.upright);
    }
    let line = pen.flat.repeat(RIGHT + 4 - BOX - 2);
    canvas.put(BOX + 1, 16, &format!("{}{line}{}", pen.left, pen.bend));
    down(&mut canvas, 4, 18, &rm);
    canvas.put(3, 20, &format_message(language, "diagram-removed", &[]));
    canvas.text()
}

fn put_box(
    canvas: &mut Canvas,
    language: Language,
    position: Position<'_>,
    ascii: bool,
    (status, x, y): (Status, usize, usize),
) {
    let present = position.is_some_and(|(_, now)| now == status);
    let pen = match (ascii, present) {
        (false, false) => &LIGHT,
        (false, true) => &HEAVY,
        (true, false) => &PLAIN,
        (true, true) => &MARKED,
    };
    let flat = pen.flat.repeat(BOX - 2);
    let mark = match present {
        true => format!("  {} {}", pen.left, format_message(language, "diagram-here", &[])),
        false => String::new(),
    };
    let row = |text: &str| format!("{0} {1} {0}", pen.upright, padded(text, BOX - 4));
    let name = format_message(language, &format!("status-{status}"), &[]);
    canvas.put(x, y, &format!("{}{flat}{}", pen.corner[0], pen.corner[1]));
    canvas.put(x, y + 1, &row(&format!("{name}{mark}")));
    canvas.put(x, y + 2, &row(&format_message(language, &format!("costs-{status}"), &[])));
    canvas.put(x, y + 3, &format!("{}{flat}{}", pen.corner[2], pen.corner[3]));
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::layout::arrows;
    use super::*;

    #[test]
    fn the_picture_has_every_move_of_the_table() {
        let text = diagram(Language::English, None, true);
        for arrow in arrows() {
            assert!(text.contains(&arrow.verbs.join(", ")), "{arrow:?}\n{text}");
        }
        for (from, to) in DRAWN {
            assert!(!verbs(from, to).is_empty(), "{from} {to:?}");
        }
        assert!(text.is_ascii(), "{text}");
    }

    #[test]
    fn the_present_status_is_marked() {
        expect![[r#"
            The life cycle of `web`

            ┌──────────────────────┐
            │ created              │
            │ disk only            │
            └──────────────────────┘
                │ start, restart
                ▼
            ┌──────────────────────┐ pause                    ┏━━━━━━━━━━━━━━━━━━━━━━┓
            │ running              │ ───────────────────────▶ ┃ paused  ◀ here now   ┃
            │ CPU, memory, disk    │ ◀─────────────────────── ┃ memory, disk         ┃
            └──────────────────────┘ unpause, restart         ┗━━━━━━━━━━━━━━━━━━━━━━┛
                │ stop, kill, (exits)       ▲ start, restart      │ stop, kill
                ▼                           │                     │
            ┌──────────────────────┐        │                     │
            │ exited               │ ───────┘                     │
            │ disk only            │ ◀────────────────────────────┘
            └──────────────────────┘
                │ rm, rm -f
                ▼
               removed

            created: rm, rm -f → removed
            running: restart → running
            running: rm -f → removed
            paused: rm -f → removed
            restarting: stop, kill → exited
            restarting: restart → running
            restarting: rm -f → removed
            dead: rm, rm -f → removed

            from here: unpause, stop, kill, restart, rm -f
        "#]]
        .assert_eq(&diagram(Language::English, Some(("web", Status::Paused)), false));
    }

    #[test]
    fn it_can_be_drawn_in_ascii() {
        let text = diagram(Language::English, Some(("web", Status::Running)), true);
        assert!(text.is_ascii());
        expect![[r#"
            The life cycle of `web`

            +----------------------+
            | created              |
            | disk only            |
            +----------------------+
                | start, restart
                v
            #======================# pause                    +----------------------+
            # running  < here now  # -----------------------> | paused               |
            # CPU, memory, disk    # <----------------------- | memory, disk         |
            #======================# unpause, restart         +----------------------+
                | stop, kill, (exits)       ^ start, restart      | stop, kill
                v                           |                     |
            +----------------------+        |                     |
            | exited               | -------+                     |
            | disk only            | <----------------------------+
            +----------------------+
                | rm, rm -f
                v
               removed

            created: rm, rm -f -> removed
            running: restart -> running
            running: rm -f -> removed
            paused: rm -f -> removed
            restarting: stop, kill -> exited
            restarting: restart -> running
            restarting: rm -f -> removed
            dead: rm, rm -f -> removed

            from here: pause, stop, kill, restart, rm -f
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn boxes_are_straight_around_wide_characters() {
        expect![[r#"
            `web` 컨테이너의 수명 주기

            ┌──────────────────────┐
            │ 생성됨               │
            │ 디스크만             │
            └──────────────────────┘
                │ start, restart
                ▼
            ┌──────────────────────┐ pause                    ┌──────────────────────┐
            │ 실행 중              │ ───────────────────────▶ │ 일시정지됨           │
            │ CPU, 메모리, 디스크  │ ◀─────────────────────── │ 메모리, 디스크       │
            └──────────────────────┘ unpause, restart         └──────────────────────┘
                │ stop, kill, (자체 종료)   ▲ start, restart      │ stop, kill
                ▼                           │                     │
            ┏━━━━━━━━━━━━━━━━━━━━━━┓        │                     │
            ┃ 종료됨  ◀ 현재 위치  ┃ ───────┘                     │
            ┃ 디스크만             ┃ ◀────────────────────────────┘
            ┗━━━━━━━━━━━━━━━━━━━━━━┛
                │ rm, rm -f
                ▼
               제거됨

            생성됨: rm, rm -f → 제거됨
            실행 중: restart → 실행 중
            실행 중: rm -f → 제거됨
            일시정지됨: rm -f → 제거됨
            재시작 중: stop, kill → 종료됨
            재시작 중: restart → 실행 중
            재시작 중: rm -f → 제거됨
            사용 불가: rm, rm -f → 제거됨

            여기서 가능한 명령: start, restart, rm, rm -f
        "#]]
        .assert_eq(&diagram(Language::Korean, Some(("web", Status::Exited)), false));
    }
}
