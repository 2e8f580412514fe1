//! `learn`.

use std::path::PathBuf;

use clap::Args;

/// `learn`
#[derive(Args, Debug)]
#[command(
    after_help = "What you make in lessons is in a store of its own, which is emptied at the end.\n\
                  Your progress is kept in $LIFEBOX_PROGRESS, or lifebox/lessons.json in $XDG_STATE_HOME."
)]
pub struct LearnArguments {
    /// Where to begin: a lesson's name or number; else the first that is not done
    #[arg(value_name = "LESSON")]
    pub lesson: Option<String>,
    /// List the lessons
    #[arg(long)]
    pub list: bool,
    /// Teach the lessons of this folder instead
    #[arg(long, value_name = "DIR")]
    pub lessons: Option<PathBuf>,
    /// Forget what is done
    #[arg(long)]
    pub restart: bool,
    /// Play all lessons by itself, with each mistake, and tell what is wrong with them
    #[arg(long)]
    pub solve: bool,
    /// The same for the lessons of this folder
    #[arg(long, value_name = "DIR")]
    pub check: Option<PathBuf>,
    /// Write the results of a class as CSV: these files of progress
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub csv: Vec<PathBuf>,
}
