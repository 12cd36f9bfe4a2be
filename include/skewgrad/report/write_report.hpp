// The whole report of a study in a folder: the page, its tables and figures as files, and all records beside them.
#pragma once
#include <filesystem>
#include <string>

#include <skewgrad/core/config.hpp>
#include <skewgrad/report/claim_files.hpp>
#include <skewgrad/report/figures/figure_table.hpp>
#include <skewgrad/report/figures/gnuplot.hpp>
#include <skewgrad/report/figures/svg.hpp>
#include <skewgrad/report/page/study_page.hpp>
#include <skewgrad/report/study_files.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/store/whole_file.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// Writes report.html, tables/NAME.csv, figures/NAME.svg, NAME.csv and NAME.gp, and the files of `write_study` into
/// `folder`, which is made if it is missing. The page stands alone: it fetches nothing and runs no script; only its
/// links need the files beside it. `judgement` must be of these results. Returns where the page lies.
/// @throws FileError where one cannot be written.
inline std::filesystem::path write_report(const StudyResults& results, const Judgement& judgement,
                                          const std::filesystem::path& folder, const MadeBy& by = {}) {
    write_study(results, folder);
    write_judgement(judgement, folder / "tables");
    make_folder(folder / "figures");
    const StudyView view(results, judgement);
    Page page = study_page(view, by);
    for (const ShownTable& t : page.tables) write_whole_file(folder / "tables" / (t.name + ".csv"), to_csv(t.table));
    for (const Figure& f : page.figures) {
        write_whole_file(folder / "figures" / (f.name + ".svg"), figure_svg(f).code() + "\n");
        write_whole_file(folder / "figures" / (f.name + ".csv"), to_csv(figure_table(f)));
        write_whole_file(folder / "figures" / (f.name + ".gp"), gnuplot_script(f));
    }
    const std::string data = data_name(results);
    const Markup top = element("p", what_was_run(view)) + self_check_banner(judgement) + headline(view);
    write_whole_file(folder / "report.html",
                     page.html("Class imbalance and adversarial examples" + (data.empty() ? "" : ": " + data), top));
    return folder / "report.html";
}

}  // namespace SKEWGRAD_NAMESPACE::report
