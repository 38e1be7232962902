// Which pictures are listed, and in which order.
((explorer) => {
  "use strict";

  const isModel = (side) => typeof side === "number";

  function shownModels(view) {
    const shown = [view.a, view.b].filter(isModel);
    return shown.length ? shown : view.study.models.map((_, model) => model);
  }

  const listBoxes = (picture, models) => models.flatMap((model) => picture.found[model] ?? []);

  const onlyFirst = (picture, first, second) =>
    picture.found[second] ? (picture.found[first] ?? []).filter((box) => !box.finders.includes(second)) : [];

  /** By name: what of a picture fits. */
  const FILTERS = {
    all: (picture) => [...picture.found.flatMap((boxes) => boxes ?? []), ...(picture.truth ?? [])],
    disputed: (picture) =>
      picture.found.flatMap((boxes) => (boxes ?? []).filter((box) => box.finders.length < picture.witnesses)),
    "only-a": (picture, view) => onlyFirst(picture, view.a, view.b),
    "only-b": (picture, view) => onlyFirst(picture, view.b, view.a),
    wrong: (picture, view) => listBoxes(picture, shownModels(view)).filter((box) => box.outcome === "wrong"),
    missed: (picture, view) => shownModels(view).flatMap((model) => picture.listMissed(model)),
  };

  /** The filters that make sense for what is shown, with what each is called. */
  function listFilters(view) {
    const { study, a, b } = view;
    const names = study.models.map((model) => model.name);
    const filters = [["all", "all pictures"]];
    if (names.length > 1) filters.push(["disputed", "disputed"]);
    if (isModel(a) && isModel(b) && a !== b) {
      filters.push(["only-a", `${names[a]} finds, ${names[b]} does not`]);
      filters.push(["only-b", `${names[b]} finds, ${names[a]} does not`]);
    }
    if (study.hasTruth) {
      const whose = shownModels(view).map((model) => names[model]).join(" or ");
      filters.push(["wrong", `false positive of ${whose}`], ["missed", `missed by ${whose}`]);
    }
    return filters;
  }

  function fits(picture, view, needle) {
    if (needle && !picture.name.toLocaleLowerCase().includes(needle)) return false;
    if (view.filter === "all" && view.classIndex === null) return true;
    const fitting = FILTERS[view.filter](picture, view);
    return fitting.some((found) => view.classIndex === null || found.classIndex === view.classIndex);
  }

  function countMistakes(picture) {
    const wrong = picture.found.flatMap((boxes) => (boxes ?? []).filter((box) => box.outcome === "wrong"));
    const missed = picture.found.flatMap((_, model) => picture.listMissed(model));
    return wrong.length + missed.length;
  }

  function sortBy(pictures, order) {
    if (order === "name") {
      const { compare } = new Intl.Collator(undefined, { numeric: true });
      return pictures.sort((a, b) => compare(a.name, b.name) || a.place - b.place);
    }
    if (order === "mistakes") {
      const counts = new Map(pictures.map((picture) => [picture, countMistakes(picture)]));
      return pictures.sort((a, b) => counts.get(b) - counts.get(a) || a.place - b.place);
    }
    return pictures;
  }

  function listOrders(study) {
    const first = study.models.length > 1 ? "most disputed first" : "as they came";
    const orders = [["place", first], ["name", "by name"]];
    return study.hasTruth ? [...orders, ["mistakes", "most mistakes first"]] : orders;
  }

  /** The pictures that fit, in order. */
  function selectPictures(view) {
    const needle = view.text.trim().toLocaleLowerCase();
    return sortBy(view.study.pictures.filter((picture) => fits(picture, view, needle)), view.order);
  }

  Object.assign(explorer, { isModel, countMistakes, listFilters, listOrders, selectPictures });
})((globalThis.detectattnExplorer ??= {}));
